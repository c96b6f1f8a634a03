package desk

import (
	"context"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// Deploy asks for a ref or commit of a project.
func (d *Desk) Deploy(ctx context.Context, by Person, project string, r deployer.DeployRequest) (deployer.Placed, error) {
	p, err := d.asked(by, project, r.Override)
	if err != nil {
		return deployer.Placed{}, err
	}
	ref, err := refFor(p, r.Ref)
	if err != nil {
		return deployer.Placed{}, err
	}
	if r.Commit != "" && !deployer.ValidCommit(r.Commit) {
		return deployer.Placed{}, deployer.Errorf(deployer.CodeInvalid, "field \"commit\" must be a full commit id in lower case").
			WithHint("git rev-parse prints it")
	}
	return d.place(ctx, by, deployer.Order{
		Project: p.Name, Trigger: deployer.TriggerManual, Ref: ref, Commit: r.Commit, Override: r.Override,
	})
}

// Redeploy asks for a deployment again: the given one, or the newest.
func (d *Desk) Redeploy(ctx context.Context, by Person, project string, r deployer.RepeatRequest) (deployer.Placed, error) {
	p, err := d.repeated(by, project, r)
	if err != nil {
		return deployer.Placed{}, err
	}
	var earlier deployer.Deployment
	if r.Deployment != 0 {
		earlier, err = d.deploymentOf(ctx, p, r.Deployment)
	} else {
		earlier, err = d.newest(ctx, p)
	}
	if err != nil {
		return deployer.Placed{}, err
	}
	return d.place(ctx, by, again(earlier, deployer.TriggerRedeploy, r.Override))
}

// Rollback asks for an earlier healthy deployment: the given one, or [Desk.Goal].
func (d *Desk) Rollback(ctx context.Context, by Person, project string, r deployer.RepeatRequest) (deployer.Placed, error) {
	p, err := d.repeated(by, project, r)
	if err != nil {
		return deployer.Placed{}, err
	}
	var earlier deployer.Deployment
	if r.Deployment != 0 {
		earlier, err = d.deploymentOf(ctx, p, r.Deployment)
		if err == nil && earlier.Status != deployer.Succeeded {
			err = deployer.Errorf(deployer.CodeConflict, "deployment %d is %s; only one that succeeded can be gone back to", earlier.ID, earlier.Status)
		}
	} else {
		earlier, err = d.Goal(ctx, p.Name)
	}
	if err != nil {
		return deployer.Placed{}, err
	}
	return d.place(ctx, by, again(earlier, deployer.TriggerRollback, r.Override))
}

// repeated is asked for what takes an earlier deployment.
func (d *Desk) repeated(by Person, project string, r deployer.RepeatRequest) (deployer.Project, error) {
	if r.Deployment < 0 {
		return deployer.Project{}, deployer.Errorf(deployer.CodeInvalid, "field \"deployment\" must be the id of a deployment")
	}
	return d.asked(by, project, r.Override)
}

// asked looks the project up. Passing over a lock needs more than deploying does.
func (d *Desk) asked(by Person, project string, override bool) (deployer.Project, error) {
	p, err := d.Configured(project)
	if err == nil && override {
		err = by.Permit(deployer.ScopeAdmin)
	}
	return p, err
}

// again is the order that repeats a deployment.
func again(d deployer.Deployment, t deployer.Trigger, override bool) deployer.Order {
	return deployer.Order{
		Project: d.Project, Trigger: t, Ref: d.Ref, Commit: d.Commit, Message: d.Message,
		Origin: d.ID, Override: override,
	}
}

// place hands an order to the store and says what became of it.
func (d *Desk) place(ctx context.Context, by Person, o deployer.Order) (deployer.Placed, error) {
	o.By = by.Name
	placed, verdict, err := d.store.Enqueue(ctx, o)
	if err != nil {
		return deployer.Placed{}, err
	}
	d.ring()
	answer := deployer.Placed{Deployment: placed, Verdict: verdict}
	if verdict == deployer.VerdictDeferred {
		l, err := d.lockOf(ctx, o.Project)
		if err == nil && l != nil { // it was placed; a reason that cannot be found is no reason to say otherwise
			answer.Reason = l.String()
		}
	}
	return answer, nil
}

// refFor returns the full ref that a person means: theirs, or the project's
// first branch, or, for a project without repository, its first image.
func refFor(p deployer.Project, given string) (string, error) {
	if given == "" {
		return DefaultRef(p)
	}
	ref := given
	if !strings.HasPrefix(ref, "refs/") {
		ref = "refs/heads/" + ref
	}
	if !deployer.ValidRef(ref) {
		return "", deployer.Errorf(deployer.CodeInvalid, "field \"ref\" is not a branch or tag that git accepts").
			WithHint("a branch name, or refs/tags/NAME for a tag")
	}
	return ref, nil
}

// DefaultRef returns what is deployed of a project when nobody says what.
func DefaultRef(p deployer.Project) (string, error) {
	branches := p.Select.Branches
	switch {
	case len(branches) > 0 && !strings.ContainsAny(branches[0], `*?[\`):
		return "refs/heads/" + branches[0], nil
	case p.Repository == "" && len(p.Select.Images) > 0:
		return p.Select.Images[0], nil
	}
	return "", deployer.Errorf(deployer.CodeInvalid, "the project's first branch is a pattern, so it is not clear what to deploy").
		WithHint("give a ref")
}

// deploymentOf returns a deployment if it is one of project p.
func (d *Desk) deploymentOf(ctx context.Context, p deployer.Project, id int64) (deployer.Deployment, error) {
	found, err := d.store.Deployment(ctx, id)
	if err == nil && found.Project != p.Name || deployer.CodeOf(err) == deployer.CodeNotFound {
		return found, deployer.Errorf(deployer.CodeNotFound, "project %s has no deployment %d", p.Name, id)
	}
	return found, err
}

func (d *Desk) newest(ctx context.Context, p deployer.Project) (deployer.Deployment, error) {
	list, err := d.store.Deployments(ctx, deployer.DeploymentFilter{Project: p.Name, Limit: 1})
	if err != nil {
		return deployer.Deployment{}, err
	}
	if len(list) == 0 {
		return deployer.Deployment{}, deployer.Errorf(deployer.CodeConflict, "project %s was never deployed", p.Name).
			WithHint("deploy it first")
	}
	return list[0], nil
}

// Goal returns what a rollback of a project without a given deployment goes
// back to: the newest healthy deployment, if a later one left the project in
// pieces; else what runs is that newest healthy one, and the goal is the one
// before it. CodeConflict if there is none.
func (d *Desk) Goal(ctx context.Context, project string) (deployer.Deployment, error) {
	const looked = 20
	recent, err := d.store.Deployments(ctx, deployer.DeploymentFilter{Project: project, Statuses: Over(), Limit: looked})
	if err != nil {
		return deployer.Deployment{}, err
	}
	healthy, err := d.store.LastHealthy(ctx, project, 0)
	if err == nil && !inPieces(recent, healthy.ID) {
		healthy, err = d.store.LastHealthy(ctx, project, healthy.ID)
	}
	if deployer.CodeOf(err) == deployer.CodeNotFound {
		return healthy, deployer.Errorf(deployer.CodeConflict, "project %s has no earlier healthy deployment to go back to", project)
	}
	return healthy, err
}

// inPieces reports whether a deployment after the healthy one touched
// containers and left them so.
func inPieces(newestFirst []deployer.Deployment, healthy int64) bool {
	for _, d := range newestFirst {
		if d.ID <= healthy {
			return false
		}
		switch d.Outcome {
		case deployer.OutcomeLeft, deployer.OutcomeRollbackFailed:
			return true
		case deployer.OutcomeRolledBack:
			return false // that deployment put the healthy one back
		case deployer.OutcomeNone, deployer.OutcomeUntouched:
		}
	}
	return false
}
