package record_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
)

// counter hands out ids from one; deployments fail after limit.
type counter struct {
	delivery, deployment, limit int64
}

func (c *counter) Delivery() int64 { c.delivery++; return c.delivery }

func (c *counter) Deployment() (int64, error) {
	if c.deployment == c.limit {
		return 0, errors.New("no ids")
	}
	c.deployment++
	return c.deployment, nil
}

func intake(id, project, ref string, commit string) deployer.Intake {
	return deployer.Intake{Hook: "hook", Provider: deployer.GitHub, ExternalID: id, Wanted: []deployer.Order{
		{Project: project, Trigger: deployer.TriggerPush, Ref: ref, Commit: commit},
	}}
}

func decide(t *testing.T, lanes map[string]*deployer.Lane, seen []record.Sighting, intakes ...deployer.Intake) *record.Round {
	t.Helper()
	r := record.NewRound(intakes)
	for _, p := range r.Projects() {
		if lanes[p] == nil {
			if lanes == nil {
				lanes = map[string]*deployer.Lane{}
			}
			lanes[p] = &deployer.Lane{}
		}
	}
	r.Load(lanes, seen)
	if err := r.Decide(time.Unix(1, 0).UTC(), &counter{delivery: 100, deployment: 10, limit: -1}); err != nil {
		t.Fatal(err)
	}
	return r
}

func verdicts(r *record.Round) (out []deployer.Verdict) {
	for _, l := range r.Lines {
		out = append(out, l.Decision.Verdict)
	}
	return out
}

func TestARoundDecidesAsIfOneCameAfterTheOther(t *testing.T) {
	r := decide(t, nil, nil,
		intake("1", "web", "main", "a"), intake("1", "web", "main", "a"), intake("2", "web", "main", "b"),
		intake("3", "web", "next", "c"), intake("", "web", "next", "c"), intake("4", "api", "main", "d"))
	want := []deployer.Verdict{
		deployer.VerdictQueued, deployer.VerdictDuplicate, deployer.VerdictCoalesced,
		deployer.VerdictQueued, deployer.VerdictCoalesced, deployer.VerdictQueued,
	}
	if d := cmp.Diff(want, verdicts(r)); d != "" {
		t.Error(d)
	}
	if len(r.Updates) != 0 || len(r.Inserts) != 3 {
		t.Fatalf("%d updates, %d inserts; want 0 and 3", len(r.Updates), len(r.Inserts))
	}
	first, second := r.Inserts[0], r.Inserts[1]
	if first.Status != deployer.Superseded || first.SupersededBy != second.ID || first.Commit != "b" || first.Coalesced != 1 {
		t.Errorf("the first is %+v", first)
	}
	if got := r.Deliveries[1].Decisions[0].Deployment; got != first.ID || !r.Lines[1].Repeated || r.Lines[0].Repeated {
		t.Errorf("the duplicate is of %d, want %d, and only it repeats", got, first.ID)
	}
	if got, want := r.Deliveries[2].Decisions[0].Reason, "deployment 11 was still waiting"; got != want {
		t.Errorf("reason %q, want %q", got, want)
	}
}

func TestWhatIsStoredIsUpdatedOnce(t *testing.T) {
	pending := &deployer.Deployment{ID: 5, Project: "web", Status: deployer.Queued, Trigger: deployer.TriggerPush, Ref: "main", Commit: "a"}
	r := decide(t, map[string]*deployer.Lane{"web": {Pending: pending}}, nil,
		intake("1", "web", "main", "b"), intake("2", "web", "main", "c"), intake("3", "web", "next", "d"))
	if len(r.Updates) != 1 || r.Updates[0] != pending || len(r.Inserts) != 1 {
		t.Fatalf("updates %v, inserts %v", r.Updates, r.Inserts)
	}
	if pending.Status != deployer.Superseded || pending.Commit != "c" || pending.Coalesced != 2 || pending.SupersededBy != 11 {
		t.Errorf("got %+v", pending)
	}
}

func TestAnEarlierDeliveryIsTheSameDeploymentAsTheLane(t *testing.T) {
	key := record.Key{Hook: "hook", ExternalID: "1"}
	running := &deployer.Deployment{ID: 5, Project: "web", Status: deployer.Running, Ref: "main", Commit: "a"}
	lanes := map[string]*deployer.Lane{"web": {Running: running}}
	failed := record.Sighting{Key: key, Project: "web", Ref: "main", Deployment: 4, Status: deployer.Failed}
	later := record.Sighting{Key: key, Project: "web", Ref: "main", Deployment: 5, Status: deployer.Queued}
	r := decide(t, lanes, []record.Sighting{failed, later}, intake("1", "web", "main", "a"))
	got := r.Deliveries[0].Decisions[0]
	if got.Verdict != deployer.VerdictDuplicate || got.Deployment != 5 || got.Reason != "this delivery was recorded before; deployment 5 is running" {
		t.Errorf("got %+v", got)
	}
	r = decide(t, nil, []record.Sighting{failed}, intake("1", "web", "main", "a"))
	if got := r.Deliveries[0].Decisions[0]; got.Verdict != deployer.VerdictQueued || got.Reason != "deployment 4 of the same delivery ended as failed" {
		t.Errorf("got %+v", got)
	}
	r = decide(t, nil, []record.Sighting{failed}, intake("1", "api", "main", "a"))
	if got := r.Deliveries[0].Decisions[0]; got.Verdict != deployer.VerdictDuplicate || got.Deployment != 0 {
		t.Errorf("a project that the first delivery did not concern: got %+v", got)
	}
}

func TestOneDeliveryDoesNotRepeatItself(t *testing.T) {
	in := intake("1", "web", "main", "a")
	in.Wanted = append(in.Wanted, in.Wanted[0])
	if got, want := verdicts(decide(t, nil, nil, in)), []deployer.Verdict{deployer.VerdictQueued, deployer.VerdictCoalesced}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAFailureToGetAnIDStopsTheRound(t *testing.T) {
	r := record.NewRound([]deployer.Intake{intake("1", "web", "main", "a")})
	r.Load(map[string]*deployer.Lane{"web": {}}, nil)
	if err := r.Decide(time.Unix(1, 0), &counter{}); err == nil {
		t.Error("no error")
	}
}
