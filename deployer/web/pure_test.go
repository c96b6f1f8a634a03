package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/web"
)

func TestLineSaysWhyEachWaits(t *testing.T) {
	t.Parallel()
	at := time.Now()
	queued := func(id int64, project string, after time.Duration) deployer.Deployment {
		return deployer.Deployment{ID: id, Project: project, Status: deployer.Queued, CreatedAt: at.Add(after)}
	}
	overriding := queued(9, "crm", time.Second)
	overriding.Override = true
	running := deployer.Deployment{ID: 1, Project: "shop", Status: deployer.Running}
	lock := deployer.Lock{Project: "crm", Owner: "mira", Reason: "import"}
	type row struct {
		ID       int64
		Position int
		Why      string
	}
	for name, c := range map[string]struct {
		active  []deployer.Deployment
		locks   []deployer.Lock
		runners int
		want    []row
	}{
		"nothing": {},
		"the longest waiting first, whatever its id": {
			[]deployer.Deployment{queued(2, "a", 2*time.Second), queued(3, "b", time.Second)},
			nil, 1,
			[]row{{3, 1, "a runner is free: it starts at any moment"}, {2, 2, "the only runner is busy"}},
		},
		"one of a project at a time": {
			[]deployer.Deployment{running, queued(2, "shop", 0), queued(3, "b", time.Second)},
			nil, 2,
			[]row{{2, 1, "deployment 1 of the same project runs"}, {3, 2, "a runner is free: it starts at any moment"}},
		},
		"no runner is free": {
			[]deployer.Deployment{running, {ID: 8, Project: "x", Status: deployer.Running}, queued(3, "b", 0)},
			nil, 2,
			[]row{{3, 1, "all 2 runners are busy"}},
		},
		"locked ones have no place": {
			[]deployer.Deployment{queued(2, "crm", 0), queued(3, "b", time.Second)},
			[]deployer.Lock{lock},
			2,
			[]row{{3, 1, "a runner is free: it starts at any moment"}, {2, 0, "locked by mira: import"}},
		},
		"unless they pass over the lock": {
			[]deployer.Deployment{overriding}, []deployer.Lock{lock}, 1, []row{{9, 1, "a runner is free: it starts at any moment"}},
		},
	} {
		var got []row
		for _, w := range web.Line(c.active, c.locks, c.runners) {
			got = append(got, row{w.Deployment.ID, w.Position, w.Why})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAttentionComesToWhatNeedsIt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	over := func(id int64, status deployer.Status, outcome deployer.Outcome, ago time.Duration) *deployer.Deployment {
		at := now.Add(-ago)
		return &deployer.Deployment{ID: id, Status: status, Outcome: outcome, FinishedAt: &at, Reason: "it broke"}
	}
	project := func(name string, last, healthy *deployer.Deployment) deployer.ProjectState {
		return deployer.ProjectState{Name: name, Last: last, Healthy: healthy}
	}
	stalled := now.Add(-time.Minute)
	for name, c := range map[string]struct {
		situation web.Situation
		want      []string // tone, what
	}{
		"all is well": {web.Situation{Projects: []deployer.ProjectState{
			project("new", nil, nil),
			project("good", over(2, deployer.Succeeded, "", 0), over(2, deployer.Succeeded, "", 0)),
			project("wanted", over(3, deployer.Canceled, deployer.OutcomeUntouched, 0), over(2, deployer.Succeeded, "", 0)),
		}}, nil},
		"the worst first, and of that the newest": {web.Situation{Projects: []deployer.ProjectState{
			project("old", over(5, deployer.TimedOut, deployer.OutcomeUntouched, time.Hour), over(1, deployer.Succeeded, "", 0)),
			project("back", over(6, deployer.Failed, deployer.OutcomeRolledBack, time.Minute), over(1, deployer.Succeeded, "", 0)),
			project("pieces", over(7, deployer.Failed, deployer.OutcomeRollbackFailed, 2*time.Hour), over(1, deployer.Succeeded, "", 0)),
			project("never", over(8, deployer.Failed, deployer.OutcomeUntouched, 3*time.Hour), nil),
		}}, []string{"bad pieces is in pieces", "bad never failed", "warn back failed", "warn old timed out"}},
		"what is silent": {web.Situation{Projects: []deployer.ProjectState{
			{Name: "slow", Running: &deployer.Deployment{ID: 3, Step: deployer.StepBuild, StalledSince: &stalled}},
		}}, []string{"warn slow is stalled in build"}},
		"what waits too long": {web.Situation{Queue: []web.Waiting{
			{Deployment: deployer.Deployment{Project: "short", CreatedAt: now.Add(-9 * time.Minute)}},
			{Deployment: deployer.Deployment{Project: "long", CreatedAt: now.Add(-11 * time.Minute)}},
			{Deployment: deployer.Deployment{Project: "locked", CreatedAt: now.Add(-11 * time.Hour)}, Locked: true},
			{Deployment: deployer.Deployment{Project: "forgotten", CreatedAt: now.Add(-25 * time.Hour)}, Locked: true},
		}}, []string{"warn long waits in the queue", "warn forgotten waits in the queue"}},
		"what the watchdog killed today": {web.Situation{Incidents: []web.Incident{
			{ID: "a", Time: now.Add(-time.Hour), Killing: true},
			{ID: "b", Time: now.Add(-2 * time.Hour)},
			{ID: "c", Time: now.Add(-3 * time.Hour), Killing: true},
			{ID: "d", Time: now.Add(-30 * time.Hour), Killing: true},
		}}, []string{"warn the watchdog replaced 2 workers"}},
		"pools that are short": {
			web.Situation{Pools: []web.Pool{{Name: "http", Places: 2, Accepting: 1}, {Name: "runner", Places: 2, Accepting: 2}}},
			[]string{"warn 1 of 2 workers of pool http take work"},
		},
	} {
		c.situation.Now = now
		var got []string
		for _, n := range web.Attention(c.situation) {
			got = append(got, n.Tone+" "+n.What)
			if n.Link == "" {
				t.Errorf("%s: %s leads nowhere", name, n.What)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryProviderHasInstructions(t *testing.T) {
	t.Parallel()
	for _, p := range deployer.Providers() {
		s := start(t, setting{web: func(c *web.Config) { c.Hooks[0].Provider = p }})
		page := s.signedIn(readToken).page("/settings?hook=web").body
		if url := s.url + "/hooks/web"; !contains(page, "<code>"+url) {
			t.Errorf("%s: the URL is not among what to fill in", p)
		}
		if p != deployer.DockerHub && !contains(page, "secret of this hook") && !contains(page, "HMAC") {
			t.Errorf("%s: the secret is not mentioned", p)
		}
		if p == deployer.DockerHub && !contains(page, "/hooks/web/SECRET") || contains(page, hookSecret) {
			t.Errorf("%s: the URL does not say where the secret goes, or the secret is shown", p)
		}
	}
}

// killed is the incident of a runner that was busy with a deployment.
type killed struct {
	cases
	deployment string
}

func (k killed) List(context.Context, string, int) ([]web.Incident, error) {
	return []web.Incident{{ID: "0runner", Pool: "runner", Killing: true, Time: noticed, Stuck: []web.Victim{{Request: k.deployment, Route: "step build"}}}}, nil
}

func TestAnInterruptedDeploymentNamesItsIncidentAndItsSecondAttempt(t *testing.T) {
	t.Parallel()
	s := start(t, setting{web: func(c *web.Config) { c.Incidents = killed{deployment: "1"} }})
	id := s.push("web", "new")
	s.begin("web")
	d, err := s.store.Deployment(t.Context(), id)
	s.must(err)
	_, _, err = s.store.Reap(t.Context(), d, deployer.Result{Status: deployer.Interrupted, Cause: deployer.CauseOwnerDied, Reason: "the runner is gone"})
	s.must(err)
	v := s.signedIn(readToken)
	page := v.page("/deployments/1").body
	for _, want := range []string{`<a href="/incidents/0runner">`, `It runs again as <a href="/deployments/2">`, "The runner is gone."} {
		if !contains(page, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if again := v.page("/deployments/2").body; !contains(again, `second attempt of <a href="/deployments/1">`) && !contains(again, `of <a href="/deployments/1">`) {
		t.Error("the second attempt does not name the first")
	}
}
