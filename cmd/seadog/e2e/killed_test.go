package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

const (
	// truth is the time after a restart within which every deployment must have a true state again.
	truth = 20 * time.Second
	// recovery is how long the second attempts may take, all at once.
	recovery = time.Minute
)

// victims are the parts of the service that are killed. Those that own no
// deployment must be missed by none.
var victims = []struct {
	name  string
	kill  func(s *service)
	cause deployer.Cause // of the interrupted attempts; "" if none may be
}{
	{"an http worker", func(s *service) { s.killWorkers("worker http", 2) }, ""},
	{"the admin process", func(s *service) { s.killWorkers("worker admin", 1) }, ""},
	{"the runners", func(s *service) { s.killWorkers("worker runner", len(held)) }, deployer.CauseOwnerDied},
	{"the master", func(s *service) { s.killMaster(); s.restart() }, deployer.CauseShutdown},
	{"everything at once", func(s *service) { s.killAll(); s.restart() }, deployer.CauseOwnerDied},
}

// moments are the states that the deployments are in when it happens.
var moments = []struct {
	name  string
	waits bool // for a runner: there is nothing to interrupt

	// work is what the fake is asked to do for it, and how often in one life and in a second one.
	work        string
	once, again int
	end         deployer.Status
	cause       deployer.Cause
	outcome     deployer.Outcome
	interrupted deployer.Outcome // of an interrupted first attempt
	live        string           // version of the only container afterwards
}{
	{name: waiting, waits: true, work: "build", once: 1, again: 1, end: deployer.Succeeded},
	{name: fetching, work: "build", once: 1, again: 1, end: deployer.Succeeded, interrupted: deployer.OutcomeUntouched},
	{name: building, work: "build", once: 1, again: 2, end: deployer.Succeeded, interrupted: deployer.OutcomeUntouched},
	{name: replacing, work: "up", once: 1, again: 2, end: deployer.Succeeded, interrupted: deployer.OutcomeLeft, live: "1"},
	{name: gated, work: "up", once: 1, again: 2, end: deployer.Succeeded, interrupted: deployer.OutcomeLeft, live: "1"},
	// Two ups brought the healthy one: itself, and the way back to it.
	{
		name: goingBack, work: "up@1", once: 2, again: 3, end: deployer.Failed, cause: deployer.CauseUnhealthy,
		outcome: deployer.OutcomeRolledBack, interrupted: deployer.OutcomeLeft, live: "1",
	},
}

// TestWhateverIsKilledLeavesATrueStateBehind kills parts of the service, or all
// of it, while there is a deployment in every moment of its life.
func TestWhateverIsKilledLeavesATrueStateBehind(t *testing.T) {
	needEngine(t)
	for _, v := range victims {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			sc := newScene(t, "")
			sc.play(held...)
			sc.queue()
			killed := time.Now()
			v.kill(sc.service)
			if v.cause != "" {
				sc.interrupted(killed)
			}
			sc.release(v.cause == "")
			sc.settled()
			for _, m := range moments {
				t.Run(m.name, func(t *testing.T) {
					want, work := []row{{m.end, m.cause, m.outcome, 1}}, m.once
					if v.cause != "" && !m.waits {
						want = []row{{m.end, m.cause, m.outcome, 2}, {deployer.Interrupted, v.cause, m.interrupted, 1}}
						work = m.again
					}
					sc.require(t, m.name, want...)
					if got := sc.fake.calls(sc.project(m.name) + "/" + m.work); got != work {
						t.Errorf("%s ran %d times, want %d", m.work, got, work)
					}
					if m.live != "" {
						requireContainer(t, sc.project(m.name), m.live)
					}
				})
			}
			sc.stop()
		})
	}
}

// killWorkers kills all workers of a kind, spare ones as well, and waits until
// there are n again.
func (s *service) killWorkers(kind string, n int) {
	s.t.Helper()
	old := s.workers(kind)
	if len(old) < n {
		s.t.Fatalf("%d processes %q, want %d", len(old), kind, n)
	}
	for _, pid := range old {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			s.t.Fatal(err)
		}
	}
	s.eventually(truth, kind+" is back", func() bool {
		now := s.workers(kind)
		return len(now) >= n && !overlap(now, old)
	})
}

// TestAStopInTheMiddleOfGoingBackIsRunAgain: the way back is cut short, and
// that is no failure of it.
func TestAStopInTheMiddleOfGoingBackIsRunAgain(t *testing.T) {
	needEngine(t)
	t.Parallel()
	sc := newScene(t, "stop_grace: 1s")
	sc.play(goingBack)
	sc.stop()
	if alive := sc.started(0); len(alive) > 0 {
		t.Errorf("processes of steps outlive the service: %q", alive)
	}
	sc.start()
	sc.release(false)
	sc.settled()
	sc.require(t, goingBack,
		row{deployer.Failed, deployer.CauseUnhealthy, deployer.OutcomeRolledBack, 2},
		row{deployer.Interrupted, deployer.CauseShutdown, deployer.OutcomeLeft, 1})
	requireContainer(t, sc.project(goingBack), "1")
}
