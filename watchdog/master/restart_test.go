package master_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/master"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestWorkersShareAListener(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 2, "http")}, nil).ready()
	s.pids(2)
}

func TestDeadWorkerIsRestarted(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, nil).ready()
	victim := s.pid()
	if _, err := fetch(s.url + "/exit"); err == nil {
		t.Error("the request that killed the worker was answered")
	}
	if now := s.pid(); now == victim {
		t.Fatalf("worker %d still answers", now)
	}
	deaths := s.dead()
	if len(deaths) != 1 {
		t.Fatalf("deaths: %+v", deaths)
	}
	d := deaths[0]
	if d.PID != victim || d.ID() != (watchdog.ID{Pool: "http"}) || d.Incarnation != 1 || d.ExitCode != 4 || d.Expected || d.State != "ready" {
		t.Errorf("death: %+v", d)
	}
	if d.Started == 0 || d.Boot == "" || !strings.Contains(d.Verdict, "although nobody told it to") {
		t.Errorf("death: %+v", d)
	}
}

func TestDeathNamesTheSignal(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, nil).ready()
	kill(t, s.pid())
	s.pid()
	d := s.dead()[0]
	if d.Signal != "SIGKILL" || d.ExitCode != -1 || !strings.HasPrefix(d.Verdict, "http/0 was ended by SIGKILL after ") {
		t.Errorf("death: %+v", d)
	}
}

func TestConnectionsSurviveTheDeathOfAllWorkers(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 2, "http")}, nil).ready()
	for pid := range s.pids(2) {
		kill(t, pid)
	}
	// Nobody accepts now; the queue of the master's socket waits.
	s.pids(2)
}

func TestWorkerThatQuitsIsRestarted(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("quit", 1, "quit")}, nil)
	eventually(t, "three deaths", func() bool { return len(s.dead()) >= 3 })
	if d := s.dead()[0]; d.ExitCode != 0 || d.Expected {
		t.Errorf("death: %+v", d)
	}
}

func TestServiceThatCannotStartGivesUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*master.Config){
		"worker fails":         nil,
		"binary is not there":  func(c *master.Config) { c.Executable = filepath.Join(t.TempDir(), "nothing") },
		"scoreboard disagrees": func(c *master.Config) { c.Counters = []string{"another_total"}; c.Pools[0].Args[1] = "http" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			s := start(t, []watchdog.Pool{child("http", 1, "broken")}, change)
			err := s.wait()
			if err == nil || !strings.Contains(err.Error(), "pool http does not start") {
				t.Fatalf("Run returned %v", err)
			}
			t.Log(err)
			if n := len(s.dead()); n != 5 {
				t.Errorf("%d starts, want 5", n)
			}
			// Two restarts at once, then at least 250 and 500 ms.
			if took := time.Since(begun); took < 750*time.Millisecond {
				t.Errorf("gave up after %s: the restarts were not held back", took)
			}
		})
	}
}

func TestBrokenPoolDoesNotDisturbTheOthers(t *testing.T) {
	t.Parallel()
	switched := filepath.Join(t.TempDir(), "broken")
	pools := []watchdog.Pool{child("http", 1, "http"), child("other", 1, "unready-if", switched)}
	pools[1].Listeners = nil
	s := start(t, pools, nil)
	// "other" has no listener; it fails before it needs one, or when it does.
	if err := os.WriteFile(switched, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first := s.pid()
	err := s.wait()
	if err == nil || !strings.Contains(err.Error(), "the new configuration is wrong") && !strings.Contains(err.Error(), "pool other") {
		t.Errorf("Run returned %v", err)
	}
	for _, d := range s.dead() {
		if d.Pool == "http" && (!d.Expected || d.PID != first) {
			t.Errorf("death: %+v", d)
		}
	}
}

func TestWorkerThatIsNeverReadyIsKilled(t *testing.T) {
	t.Parallel()
	p := child("mute", 1, "mute")
	p.ReadyWithin = 200 * time.Millisecond
	s := start(t, []watchdog.Pool{p}, nil)
	eventually(t, "a death", func() bool { return len(s.dead()) > 0 })
	d := s.dead()[0]
	if d.Signal != "SIGKILL" || d.Expected || d.Verdict != "mute/0 was not ready within 200ms and was killed" {
		t.Errorf("death: %+v", d)
	}
}

func TestStuckDiskDelaysTheRestartOnly(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, func(c *master.Config) {
		c.Record = func(watchdog.Death) error { <-release; return errors.New("disk is broken") }
	}).ready()
	defer close(release)
	kill(t, s.pid())
	s.pid()
}

func TestCountersSurviveTheirProcess(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, nil).ready()
	for range 3 {
		s.pid()
	}
	kill(t, s.pid())
	successor := s.pid()
	var w scoreboard.Worker
	var pool scoreboard.PoolState
	var snap scoreboard.Snapshot
	eventually(t, "a successor that is ready and heard of", func() bool {
		snap = scoreboard.Snapshot{}
		if err := json.Unmarshal([]byte(s.get("/board")), &snap); err != nil {
			t.Fatal(err)
		}
		if pool = snap.Pool("http"); len(pool.Workers) != 1 {
			return false
		}
		w = pool.Workers[0]
		return w.Heartbeat != 0 && w.State == watchdog.Ready && pool.Counters[0] == 5
	})
	if w.Incarnation != 2 || w.PID != successor || pool.Ends[watchdog.Crash] != 1 || pool.Places != 1 {
		t.Errorf("scoreboard: %+v", pool)
	}
	if age := snap.HeartbeatAge(w); age < 0 || age > patience {
		t.Errorf("heartbeat is %s old", age)
	}
}

// blocked is a pipe that nobody reads.
type blocked chan struct{}

func (b blocked) Write(p []byte) (int, error) { <-b; return len(p), nil }

func TestStuckTerminalHoldsNothingUp(t *testing.T) {
	t.Parallel()
	terminal := make(blocked)
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, func(c *master.Config) {
		c.Log = slog.New(slog.NewTextHandler(terminal, nil))
	})
	defer close(terminal)
	for range 3 {
		kill(t, s.pid())
	}
	s.pid()
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
}
