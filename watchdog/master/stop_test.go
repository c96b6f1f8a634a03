package master_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/master"
)

func TestStopFinishesRequests(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 2, "http")}, nil).ready()
	mark := filepath.Join(t.TempDir(), "begun")
	answer := make(chan string, 1)
	go func() {
		body, err := fetch(fmt.Sprintf("%s/slow?for=300ms&mark=%s", s.url, mark))
		answer <- fmt.Sprint(body, err)
	}()
	eventually(t, "the request runs", func() bool { return exists(mark) })
	s.signal(syscall.SIGTERM)
	if got := <-answer; got != "done<nil>" {
		t.Errorf("the request that was running got %q", got)
	}
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	for _, d := range s.dead() {
		if d.ExitCode != 0 || !d.Expected {
			t.Errorf("death: %+v", d)
		}
	}
	if got := s.notified(); !slices.Equal(got, []string{"READY=1", "STOPPING=1"}) {
		t.Errorf("service manager heard %v", got)
	}
}

func TestRunnerFinishesWithinItsGrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, []watchdog.Pool{child("http", 1, "http"), child("runner", 1, "runner", dir)}, nil).ready()
	s.get("/ring")
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.signal(syscall.SIGTERM)
	eventually(t, "http ends", func() bool { return len(s.dead()) == 1 })
	touch(t, dir+"/finish")
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if matches(t, dir+"/finished.*") != 1 || matches(t, dir+"/left.*") != 1 {
		t.Error("the runner did not finish its work")
	}
}

func TestGraceThenStopThenKill(t *testing.T) {
	t.Parallel()
	t.Run("work is given up after the grace", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		runner := child("runner", 1, "runner", dir)
		runner.StopGrace = 200 * time.Millisecond
		s := start(t, []watchdog.Pool{child("http", 1, "http"), runner}, nil).ready()
		s.get("/ring")
		eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
		s.signal(syscall.SIGTERM)
		if err := s.wait(); err != nil {
			t.Errorf("Run returned %v", err)
		}
		if matches(t, dir+"/gave-up.*") != 1 {
			t.Error("the runner did not give up")
		}
		i := slices.IndexFunc(s.dead(), func(d watchdog.Death) bool { return d.Pool == "runner" })
		if d := s.dead()[i]; d.Message != "gave up: told to stop now" || !d.Expected || d.ExitCode != 1 {
			t.Errorf("death: %+v", d)
		}
	})
	t.Run("who does not stop is killed", func(t *testing.T) {
		t.Parallel()
		deaf := child("deaf", 1, "deaf")
		deaf.StopGrace, deaf.KillGrace = 100*time.Millisecond, 100*time.Millisecond
		s := start(t, []watchdog.Pool{deaf}, nil).ready()
		s.signal(syscall.SIGINT)
		if err := s.wait(); err != nil {
			t.Errorf("Run returned %v", err)
		}
		d := s.dead()[0]
		if d.Signal != "SIGKILL" || !d.Expected || !strings.HasPrefix(d.Verdict, "deaf/0 was stopped with the service, did not end in time and was killed") {
			t.Errorf("death: %+v", d)
		}
	})
}

func TestSecondSignalMeansNow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, []watchdog.Pool{child("http", 1, "http"), child("runner", 1, "runner", dir)}, nil).ready()
	s.get("/ring")
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.signal(syscall.SIGTERM)
	eventually(t, "http ends", func() bool { return len(s.dead()) == 1 })
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if matches(t, dir+"/gave-up.*") != 1 {
		t.Error("the runner did not give up")
	}
}

func TestThirdSignalKills(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("deaf", 2, "deaf")}, nil).ready()
	for range 3 {
		s.signal(syscall.SIGTERM)
	}
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	for _, d := range s.dead() {
		if d.Signal != "SIGKILL" {
			t.Errorf("death: %+v", d)
		}
	}
}

func TestStagesStopInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	admin := child("admin", 1, "http")
	admin.StopStage = 1
	s := start(t, []watchdog.Pool{admin, child("runner", 1, "runner", dir)}, nil).ready()
	s.get("/ring")
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.signal(syscall.SIGTERM)
	eventually(t, "the service stops", func() bool { return s.logged("service stops") })
	s.pid() // admin still answers
	touch(t, dir+"/finish")
	if err := s.wait(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	var order []string
	for _, d := range s.dead() {
		order = append(order, d.Pool)
	}
	if !slices.Equal(order, []string{"runner", "admin"}) {
		t.Errorf("ended in the order %v", order)
	}
}

func TestStopDuringStart(t *testing.T) {
	t.Parallel()
	for i := range 60 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := start(t, []watchdog.Pool{child("http", 2, "http"), child("mute", 1, "mute")}, nil)
			if i%2 == 1 {
				eventually(t, "a worker is ready", func() bool { return s.logged("worker ready") })
				s.signal(syscall.SIGHUP)
			}
			s.signal(syscall.SIGTERM)
			if err := s.wait(); err != nil {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

func TestWatchdogIsFedByPasses(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{child("http", 1, "http")}, func(c *master.Config) { c.WatchdogEvery = 10 * time.Millisecond })
	eventually(t, "the watchdog is fed", func() bool {
		n := 0
		for _, state := range s.notified() {
			if state == "WATCHDOG=1" {
				n++
			}
		}
		return n >= 5
	})
}
