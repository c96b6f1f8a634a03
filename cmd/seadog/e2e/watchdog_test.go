package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// incidents asks the command line what the watchdog wrote down.
func (s *service) incidents() []watchdog.Incident {
	s.t.Helper()
	out, err := exec.Command(s.cmd.Path, "incidents", "--json", "--data", s.path("data")).Output()
	if err != nil {
		s.t.Fatalf("incidents: %v", err)
	}
	var list struct {
		Incidents []watchdog.Incident `json:"incidents"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		s.t.Fatal(err)
	}
	return list.Incidents
}

// accused reports whether a worker of that pool was killed for that reason.
func (s *service) accused(pool string, r watchdog.Reason) bool {
	return slices.ContainsFunc(s.incidents(), func(i watchdog.Incident) bool {
		return i.Pool == pool && i.Reason == r.String() && i.Severity == watchdog.Killing
	})
}

func TestAFrozenWorkerCostsNoPush(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	// What it is just answering when it stops is lost with it; so it has to have
	// nothing left to answer, and pushes come on connections of their own.
	http.DefaultClient.CloseIdleConnections()
	s.eventually(20*time.Second, "all are there, and nothing is under way", s.quiet)
	victim := s.workers("worker http")[0]
	stopped := time.Now()
	if err := syscall.Kill(victim, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; n < 50 || !s.accused("http", watchdog.Stopped); n++ {
		code, _, err := s.push("site", fmt.Sprint(n), noCommit, r.head)
		if err != nil || code != http.StatusAccepted && code != http.StatusOK {
			t.Fatalf("push %d, %s after the stop: %d %v", n, time.Since(stopped), code, err)
		}
		if time.Since(stopped) > 30*time.Second {
			t.Fatal("the frozen worker was not killed within 30 s")
		}
	}
	if slices.Contains(s.workers("worker http"), victim) {
		t.Error("the frozen worker is still there")
	}
	s.eventually(20*time.Second, "the pool is complete again", func() bool { return len(s.workers("worker http")) == 3 })
	s.stop()
}

// quiet reports whether all HTTP workers and their spare are ready and have no connection.
func (s *service) quiet() bool {
	s.t.Helper()
	place, err := locate.Find(filepath.Join(s.path("data"), "master.json"))
	if err != nil {
		return false
	}
	board, err := place.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	defer board.Close()
	workers := board.Snapshot().Pool("http").Workers
	return len(workers) == 3 && !slices.ContainsFunc(workers, func(w scoreboard.Worker) bool {
		return w.Connections > 0 || w.State != watchdog.Ready && w.State != watchdog.Spare
	})
}

func TestAFrozenRunnerIsKilledAndItsDeploymentRunsAgain(t *testing.T) {
	needEngine(t)
	f := newFake(t, "site/build=hang")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "steps: {build: {silence: 0s}, grace: 1s}")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(20*time.Second, "it builds", func() bool { return f.calls("site/build") == 1 && len(f.alive()) > 0 })
	f.mode("")
	for _, pid := range s.workers("worker runner") {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	d := s.over(id, 60*time.Second)
	if d.Status != deployer.Interrupted || d.Cause != deployer.CauseOwnerDied {
		t.Errorf("ended as %s (%s): %s", d.Status, d.Cause, d.Reason)
	}
	if d := s.over(id+1, 60*time.Second); d.Status != deployer.Succeeded || d.Attempt != 2 {
		t.Errorf("the second attempt: %s, attempt %d: %s", d.Status, d.Attempt, d.Reason)
	}
	if !s.accused("runner", watchdog.Stopped) {
		t.Error("there is no incident of the runner")
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
	s.stop()
}
