package httpd

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// deploy answers POST /api/v1/projects/{project}/deploy.
func (s *Server) deploy(x *exchange) error {
	var r deployer.DeployRequest
	p, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	ref, err := refFor(p, r.Ref)
	if err != nil {
		return err
	}
	if r.Commit != "" && !deployer.ValidCommit(r.Commit) {
		return deployer.Errorf(deployer.CodeInvalid, "field \"commit\" must be a full commit id in lower case").
			WithHint("git rev-parse prints it")
	}
	return s.place(x, deployer.Order{
		Project: p.Name, Trigger: deployer.TriggerManual, Ref: ref, Commit: r.Commit, Override: r.Override,
	})
}

// redeploy answers POST /api/v1/projects/{project}/redeploy.
func (s *Server) redeploy(x *exchange) error {
	var r deployer.RepeatRequest
	p, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	var d deployer.Deployment
	if r.Deployment != 0 {
		d, err = s.deploymentOf(x, p, r.Deployment)
	} else {
		d, err = s.newest(x, p)
	}
	if err != nil {
		return err
	}
	return s.place(x, again(d, deployer.TriggerRedeploy, r.Override))
}

// rollback answers POST /api/v1/projects/{project}/rollback.
func (s *Server) rollback(x *exchange) error {
	var r deployer.RepeatRequest
	p, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	var d deployer.Deployment
	if r.Deployment != 0 {
		d, err = s.deploymentOf(x, p, r.Deployment)
		if err == nil && d.Status != deployer.Succeeded {
			err = deployer.Errorf(deployer.CodeConflict, "deployment %d is %s; only one that succeeded can be gone back to", d.ID, d.Status)
		}
	} else {
		d, err = s.goal(x, p)
	}
	if err != nil {
		return err
	}
	return s.place(x, again(d, deployer.TriggerRollback, r.Override))
}

// asked reads what all three have in common: the project and the body. Passing
// over a lock needs more than deploying does.
func (s *Server) asked(x *exchange, r any) (deployer.Project, error) {
	p, err := s.project(x)
	if err != nil {
		return p, err
	}
	if err := s.decode(x, r); err != nil {
		return p, err
	}
	override := false
	switch r := r.(type) {
	case *deployer.DeployRequest:
		override = r.Override
	case *deployer.RepeatRequest:
		override = r.Override
		if r.Deployment < 0 {
			return p, deployer.Errorf(deployer.CodeInvalid, "field \"deployment\" must be the id of a deployment")
		}
	}
	if override {
		return p, permit(x.token, deployer.ScopeAdmin)
	}
	return p, nil
}

// again is the order that repeats d.
func again(d deployer.Deployment, t deployer.Trigger, override bool) deployer.Order {
	return deployer.Order{
		Project: d.Project, Trigger: t, Ref: d.Ref, Commit: d.Commit, Message: d.Message,
		Origin: d.ID, Override: override,
	}
}

// place hands an order to the store and answers with what became of it.
func (s *Server) place(x *exchange, o deployer.Order) error {
	o.By = x.token.Name
	d, verdict, err := s.cfg.Store.Enqueue(x.ctx, o)
	if err != nil {
		return err
	}
	s.cfg.Ring()
	x.deployment = d.ID
	placed := deployer.Placed{Deployment: d, Verdict: verdict}
	if verdict == deployer.VerdictDeferred {
		l, err := s.lockOf(x.ctx, o.Project)
		if err == nil && l != nil { // it was placed; a reason that cannot be found is no reason to say otherwise
			placed.Reason = l.String()
		}
	}
	return x.json(fiber.StatusAccepted, placed)
}

// refFor returns the full ref that a person means: theirs, or the project's
// first branch, or, for a project without repository, its first image.
func refFor(p deployer.Project, given string) (string, error) {
	if given == "" {
		return firstRef(p)
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

func firstRef(p deployer.Project) (string, error) {
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
func (s *Server) deploymentOf(x *exchange, p deployer.Project, id int64) (deployer.Deployment, error) {
	d, err := s.cfg.Store.Deployment(x.ctx, id)
	if err == nil && d.Project != p.Name || deployer.CodeOf(err) == deployer.CodeNotFound {
		return d, deployer.Errorf(deployer.CodeNotFound, "project %s has no deployment %d", p.Name, id)
	}
	return d, err
}

func (s *Server) newest(x *exchange, p deployer.Project) (deployer.Deployment, error) {
	list, err := s.cfg.Store.Deployments(x.ctx, deployer.DeploymentFilter{Project: p.Name, Limit: 1})
	if err != nil {
		return deployer.Deployment{}, err
	}
	if len(list) == 0 {
		return deployer.Deployment{}, deployer.Errorf(deployer.CodeConflict, "project %s was never deployed", p.Name).
			WithHint("deploy it first")
	}
	return list[0], nil
}

// goal returns what a rollback without a given deployment goes back to: the
// newest healthy deployment, if a later one left the project in pieces; else
// what runs is that newest healthy one, and the goal is the one before it.
func (s *Server) goal(x *exchange, p deployer.Project) (deployer.Deployment, error) {
	const looked = 20
	recent, err := s.cfg.Store.Deployments(x.ctx, deployer.DeploymentFilter{Project: p.Name, Statuses: over(), Limit: looked})
	if err != nil {
		return deployer.Deployment{}, err
	}
	healthy, err := s.cfg.Store.LastHealthy(x.ctx, p.Name, 0)
	if err == nil && !inPieces(recent, healthy.ID) {
		healthy, err = s.cfg.Store.LastHealthy(x.ctx, p.Name, healthy.ID)
	}
	if deployer.CodeOf(err) == deployer.CodeNotFound {
		return healthy, deployer.Errorf(deployer.CodeConflict, "project %s has no earlier healthy deployment to go back to", p.Name)
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
