package master_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
)

const rolled = "all workers were replaced"

func TestRollReplacesEveryWorkerAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 2, "http")}, nil).ready()
	before := s.pids(2)
	failures := keepAsking(s.url)
	s.signal(syscall.SIGHUP)
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	if failed := failures(); len(failed) > 0 {
		t.Errorf("requests failed: %v", failed)
	}
	for pid := range s.pids(2) {
		if before[pid] {
			t.Errorf("worker %d was not replaced", pid)
		}
	}
	for _, d := range s.dead() {
		if !d.Expected || d.ExitCode != 0 || !strings.Contains(d.Verdict, "was replaced") {
			t.Errorf("death: %+v", d)
		}
	}
	if got := s.notified(); !slices.Equal(got, []string{"READY=1", "RELOADING=1", "READY=1"}) {
		t.Errorf("service manager heard %v", got)
	}
}

func TestRollStopsAtAReplacementThatDoesNotBecomeReady(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]string{"it fails": "unready-if", "it takes too long": "held-if"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "bad")
			p := child("http", 2, mode, file)
			p.ReadyWithin = 2 * time.Second
			s := start(t, []watchdog.Pool{p}, nil).ready()
			before := s.pids(2)
			touch(t, file)
			s.signal(syscall.SIGHUP)
			eventually(t, "the roll stops", func() bool { return s.logged("a replacement did not become ready") })
			if after := s.pids(2); !maps.Equal(after, before) {
				t.Errorf("workers %v were replaced by %v", before, after)
			}
			if deaths := s.dead(); len(deaths) != 1 || deaths[0].Expected || deaths[0].Incarnation != 3 || deaths[0].State == "ready" {
				t.Errorf("deaths: %+v", deaths)
			}
		})
	}
}

func TestReplacedRunnerFinishesItsWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.Patient, runner.StopGrace = true, 10*time.Millisecond
	s := start(t, []watchdog.Pool{runner, child("http", 1, "http")}, nil).ready()
	s.get("/ring")
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.signal(syscall.SIGHUP)
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	if matches(t, dir+"/gave-up.*") != 0 {
		t.Fatal("the runner gave up its work")
	}
	touch(t, dir+"/finish")
	eventually(t, "the old runner leaves", func() bool { return matches(t, dir+"/left.*") == 1 })
	if matches(t, dir+"/finished.*") != 1 {
		t.Error("the work was not finished")
	}
}

func TestPatientRunnerIsBoundedWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.Patient, runner.StopGrace = true, 10*time.Millisecond
	s := start(t, []watchdog.Pool{runner, child("http", 1, "http")}, nil).ready()
	s.get("/ring")
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.signal(syscall.SIGHUP)
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if matches(t, dir+"/gave-up.*") != 1 {
		t.Error("the runner did not give up")
	}
}

func TestRollAskedForTwiceRunsTwice(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hold")
	s := start(t, []watchdog.Pool{child("http", 1, "held-if", file)}, nil).ready()
	touch(t, file)
	for range 3 {
		s.signal(syscall.SIGHUP)
	}
	eventually(t, "the signals are heard", func() bool { return len(s.signals) == 0 })
	remove(t, file)
	eventually(t, "both rolls", func() bool { return s.logged("incarnation=3 duration") && s.logged(rolled) })
	s.pid()
	if s.logged("incarnation=4") {
		t.Error("rolls that wait for the same one were not joined")
	}
}

func TestReplacementTakesThePlaceOfOneThatDies(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hold")
	s := start(t, []watchdog.Pool{child("http", 1, "held-if", file)}, nil).ready()
	old := s.pid()
	touch(t, file)
	s.signal(syscall.SIGHUP)
	eventually(t, "the roll begins", func() bool { return s.logged("replacing all workers") })
	kill(t, old)
	eventually(t, "the death", func() bool { return len(s.dead()) == 1 })
	remove(t, file)
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	if s.pid() == old {
		t.Error("the dead answers")
	}
	if deaths := s.dead(); len(deaths) != 1 {
		t.Errorf("deaths: %+v", deaths)
	}
}
