package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seadog/seadog/deployer"
)

// deploymentPage is one deployment.
type deploymentPage struct {
	Deployment deployer.Deployment
	Steps      []stepRow
	Why        string // it waits
	Commit     string // URL at the forge, "" if that is not known
	// Others that have to do with it; nil: none.
	Origin     *deployer.Deployment // what it retries, repeats or goes back to
	Retry      *deployer.Deployment // its second attempt
	Successor  *deployer.Deployment // what superseded it
	WentBackTo *deployer.Deployment // what runs again because it failed
	Live       bool                 // it is what runs now
	Incident   string               // in which its runner was killed, "" if that is not known
}

// Step states.
const (
	stepWaits   = "wait"
	stepRuns    = "busy"
	stepDone    = "good"
	stepFailed  = "bad"
	stepSkipped = "idle"
)

// stepRow is one line of the timeline.
type stepRow struct {
	Step     deployer.Step
	Index    int // as in positions of the log
	State    string
	From, To *time.Time
	Error    string
	Share    int // of the whole time, in percent
	Stalled  *time.Time
}

// Of the whole page, for the style sheet: which buttons there are.
const (
	stateActive = "active"
	stateOver   = "over"
)

// deployment answers GET /deployments/{id}.
func (u *UI) deployment(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	seen, err := u.deploymentView(v.Context(), id)
	if err != nil {
		return err
	}
	page := seen.data.(deploymentPage)
	out, err := u.printout(v, page.Deployment)
	if err != nil {
		return err
	}
	seen.data = struct {
		deploymentPage
		Log printout
	}{page, out}
	reload := 0
	if !page.Deployment.Status.Final() && out.Newest {
		reload = 5
	}
	version, err := view{data: page}.version()
	if err != nil {
		return err
	}
	return u.send(v, "deployment", frame{
		Title: fmt.Sprintf("%s %d %s", page.Deployment.Project, id, standing(page.Deployment)), Area: "deployments", Reload: reload,
		Data: seen.data, Seen: version, State: seen.state, Script: "log.js",
		Live: deploymentPath(id) + "/live",
	})
}

func (u *UI) deploymentView(ctx context.Context, id int64) (view, error) {
	d, err := u.cfg.Store.Deployment(ctx, id)
	if err != nil {
		return view{}, err
	}
	d.HeartbeatAt = nil // changes all the time and is not shown
	p := deploymentPage{Deployment: d, Steps: timeline(d), Commit: u.commitURL(d)}
	if err := u.relations(ctx, &p); err != nil {
		return view{}, err
	}
	state := stateActive
	if d.Status.Final() {
		state = stateOver
	}
	return view{
		page: "deployment", topic: deploymentPath(id), data: p, state: state,
		parts: []string{"standing", "verdict", "steps", "relations"},
	}, nil
}

// relations finds the deployments that this one has to do with.
func (u *UI) relations(ctx context.Context, p *deploymentPage) (err error) {
	d := p.Deployment
	if p.Origin, err = u.related(ctx, d.Origin); err != nil {
		return err
	}
	if p.Successor, err = u.related(ctx, d.SupersededBy); err != nil {
		return err
	}
	switch {
	case d.Status == deployer.Queued:
		p.Why, err = u.whyWaits(ctx, d)
	case d.Status == deployer.Succeeded:
		var newest deployer.Deployment
		if newest, err = u.cfg.Store.LastHealthy(ctx, d.Project, 0); err == nil {
			p.Live = newest.ID == d.ID
		}
	case d.Outcome == deployer.OutcomeRolledBack:
		var healthy deployer.Deployment
		if healthy, err = u.cfg.Store.LastHealthy(ctx, d.Project, d.ID); err == nil {
			p.WentBackTo = &healthy
		}
	case d.Status == deployer.Interrupted:
		p.Incident = u.incidentOf(ctx, d.ID)
		p.Retry, err = u.retryOf(ctx, d)
	}
	if deployer.CodeOf(err) == deployer.CodeNotFound {
		return nil // it was pruned
	}
	return err
}

// related returns a deployment, nil for 0 and for one that was pruned.
func (u *UI) related(ctx context.Context, id int64) (*deployer.Deployment, error) {
	if id == 0 {
		return nil, nil //nolint:nilnil // no relation is no error
	}
	d, err := u.cfg.Store.Deployment(ctx, id)
	if deployer.CodeOf(err) == deployer.CodeNotFound {
		return nil, nil //nolint:nilnil // it was pruned
	}
	if err != nil {
		return nil, err
	}
	d.HeartbeatAt = nil
	return &d, nil
}

// retryOf looks for the second attempt, which comes soon or not at all.
func (u *UI) retryOf(ctx context.Context, d deployer.Deployment) (*deployer.Deployment, error) {
	list, err := u.cfg.Store.Deployments(ctx, deployer.DeploymentFilter{Project: d.Project, Limit: perPage})
	if err != nil {
		return nil, err
	}
	for _, other := range slices.Backward(list) {
		if other.Origin == d.ID && other.Trigger == deployer.TriggerRetry {
			other.HeartbeatAt = nil
			return &other, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// incidentOf looks for the incident in which the runner of a deployment was
// killed: a runner's requests are deployments.
func (u *UI) incidentOf(ctx context.Context, id int64) string {
	for _, i := range u.lately(ctx) {
		for _, s := range slices.Concat(i.Stuck, i.Lost) {
			if i.Pool == runnerPool && s.Request == strconv.FormatInt(id, 10) {
				return i.ID
			}
		}
	}
	return ""
}

// runnerPool is the pool whose requests are deployments.
const runnerPool = "runner"

// timeline returns one line per step: those that ran, that run, that will run,
// and that will not. It is pure.
func timeline(d deployer.Deployment) []stepRow {
	ran := make(map[deployer.Step]deployer.StepRun, len(d.Steps))
	for _, s := range d.Steps {
		ran[s.Step] = s
	}
	var whole time.Duration
	if d.StartedAt != nil && d.FinishedAt != nil {
		whole = d.FinishedAt.Sub(*d.StartedAt)
	}
	var rows []stepRow
	for i, step := range deployer.Steps() {
		s, known := ran[step]
		row := stepRow{Step: step, Index: i, State: stepWaits}
		switch {
		case !known && step == deployer.StepRollback:
			continue
		case !known && d.Status.Final():
			row.State = stepSkipped
		case !known:
		default:
			row.From, row.To, row.Error = &s.StartedAt, s.FinishedAt, s.Error
			row.State = stateOf(s, d)
			if s.FinishedAt != nil {
				row.Share = percent(s.FinishedAt.Sub(s.StartedAt), whole)
			}
			if row.State == stepRuns {
				row.Stalled = d.StalledSince
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func stateOf(s deployer.StepRun, d deployer.Deployment) string {
	switch {
	case s.Error != "":
		return stepFailed
	case s.FinishedAt != nil:
		return stepDone
	case d.Status.Final():
		return stepFailed // it was cut off together with its runner
	}
	return stepRuns
}
