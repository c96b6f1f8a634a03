package e2e_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// fakeProject is a repository that the fake docker deploys.
func fakeProject(t testing.TB) *repository {
	r := newRepository(t)
	r.commit(map[string]string{"compose.yaml": "services: {}\n", "Dockerfile": "FROM scratch\n"})
	return r
}

// entry is a project's YAML.
func entry(repository, more string) string {
	return fmt.Sprintf("repository: %q\nbranches: [main]\n%s", repository, more)
}

// healthy deploys a second project while the first is in trouble, and requires that it is not delayed.
func healthy(t *testing.T, s *service, r *repository) {
	t.Helper()
	id := s.mustPush("other", t.Name()+"-other", noCommit, r.head)
	if d := s.over(id, 20*time.Second); d.Status != deployer.Succeeded {
		t.Errorf("the other project's deployment: %s %s", d.Status, d.Reason)
	}
}

func TestAComposeThatForksAndIgnoresTermIsGoneAtItsDeadline(t *testing.T) {
	needEngine(t)
	f := newFake(t, "stuck/up=hang")
	r := fakeProject(t)
	s := newService(t, map[string]string{
		"stuck": entry(r.dir, "rollback: off\nsteps: {up: {deadline: 2s, silence: 0s}}"), // and the default grace, 10 s
		"other": entry(r.dir, ""),
	}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("stuck", "1", noCommit, r.head)
	healthy(t, s, r)
	d := s.over(id, 40*time.Second)
	if d.Status != deployer.TimedOut || d.Cause != deployer.CauseDeadline || d.Step != deployer.StepUp {
		t.Errorf("ended as %s (%s) in %s: %s; want timed_out (deadline) in up", d.Status, d.Cause, d.Step, d.Reason)
	}
	up := d.Steps[len(d.Steps)-1]
	if took := up.FinishedAt.Sub(up.StartedAt); took > 2*time.Second+12*time.Second {
		t.Errorf("the step took %s, want at most its deadline of 2 s and 12 s more", took)
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
	s.stop()
}

func TestAStepThatPrintsNothingIsStalledAndThenEnded(t *testing.T) {
	needEngine(t)
	f := newFake(t, "quiet/build=silent")
	r := fakeProject(t)
	s := newService(t, map[string]string{
		"quiet": entry(r.dir, "steps: {build: {deadline: 1m, silence: 6s}, grace: 1s}"),
		"other": entry(r.dir, ""),
	}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("quiet", "1", noCommit, r.head)
	healthy(t, s, r)
	s.eventually(10*time.Second, "the deployment is shown as stalled", func() bool {
		d, err := s.api.Deployment(context.Background(), id)
		return err == nil && d.StalledSince != nil && d.Status == deployer.Running
	})
	d := s.over(id, 20*time.Second)
	if d.Status != deployer.TimedOut || d.Cause != deployer.CauseSilence || d.Outcome != deployer.OutcomeUntouched {
		t.Errorf("ended as %s (%s, %s): %s; want timed_out (silence, untouched)", d.Status, d.Cause, d.Outcome, d.Reason)
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
}

func TestAGitRemoteThatNeverAnswersDelaysNobodyElse(t *testing.T) {
	needEngine(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close() // accepted, and never answered
		}
	}()
	f := newFake(t, "")
	other := fakeProject(t)
	s := newService(t, map[string]string{
		"silent": entry("http://"+l.Addr().String()+"/e2e/silent.git", "steps: {fetch: {deadline: 5s, silence: 0s}, grace: 1s}"),
		"other":  entry(other.dir, ""),
	}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("silent", "1", noCommit, other.head)
	healthy(t, s, other)
	d := s.over(id, 20*time.Second)
	if d.Status != deployer.TimedOut || d.Step != deployer.StepFetch {
		t.Errorf("ended as %s in %s: %s; want timed_out in fetch", d.Status, d.Step, d.Reason)
	}
}

func TestAFloodOfOutputWithNoReaderDelaysNobody(t *testing.T) {
	needEngine(t)
	f := newFake(t, "build=flood")
	r := fakeProject(t)
	s := newService(t, map[string]string{"flood": entry(r.dir, ""), "other": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("flood", "1", noCommit, r.head)
	healthy(t, s, r)
	if d := s.over(id, 30*time.Second); d.Status != deployer.Succeeded {
		t.Errorf("ended as %s: %s", d.Status, d.Reason)
	}
}

func TestCancelKills(t *testing.T) {
	needEngine(t)
	f := newFake(t, "build=hang")
	r := fakeProject(t)
	s := newService(t, map[string]string{"stuck": entry(r.dir, "steps: {grace: 1s}")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("stuck", "1", noCommit, r.head)
	s.eventually(10*time.Second, "the build hangs", func() bool { return len(f.alive()) == 2 })
	if _, err := s.api.Cancel(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	d := s.over(id, 15*time.Second)
	if d.Status != deployer.Canceled || d.Reason == "" {
		t.Errorf("ended as %s: %s", d.Status, d.Reason)
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
}
