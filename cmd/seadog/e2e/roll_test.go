package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

// TestReloadLosesNoRequest replaces all workers twice while requests come over
// kept-alive and over new connections.
func TestReloadLosesNoRequest(t *testing.T) {
	needEngine(t)
	const workers = 5 // at least: two for HTTP, two runners and the admin process
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	s.eventually(20*time.Second, "all workers are there", func() bool { return len(s.workers("worker")) >= workers })
	first := s.workers("worker http")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var sent atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		wg.Go(func() {
			for ctx.Err() == nil {
				resp, err := client.Get(s.url + "/healthz")
				if err != nil {
					t.Errorf("after %d requests: %v", sent.Load(), err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("answered %s", resp.Status)
				}
				sent.Add(1)
			}
			client.CloseIdleConnections()
		})
	}
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				code, _, err := s.push("site", fmt.Sprintf("%d-%d", i, n), noCommit, r.head)
				if err != nil || code != http.StatusAccepted && code != http.StatusOK {
					t.Errorf("a push after %d requests: %d %v", sent.Load(), code, err)
				}
				sent.Add(1)
			}
		})
	}
	for range 2 {
		before := s.workers("worker")
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.eventually(30*time.Second, "all workers are new ones", func() bool {
			now := s.workers("worker")
			return len(now) >= workers && !overlap(now, before)
		})
	}
	stop()
	wg.Wait()
	if overlap(first, s.workers("worker http")) {
		t.Error("a worker was not replaced")
	}
	t.Logf("%d requests", sent.Load())
}

func overlap(a, b []int) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// TestALogThatNobodyReadsStopsNothing runs the service with a standard output
// that is full.
func TestALogThatNobodyReadsStopsNothing(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	defer writing.Close()
	if _, err := unix.FcntlInt(writing.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	s.out = writing
	s.configure("log: {level: debug}")
	s.start()
	for i := range 30 { // each says more than a hundred bytes
		id := s.mustPush("site", fmt.Sprint(i), noCommit, r.head)
		if d := s.over(id, 20*time.Second); d.Status != deployer.Succeeded {
			t.Fatalf("deployment %d: %s %s", id, d.Status, d.Reason)
		}
	}
	const lost = `seadog_log_dropped_lines_total{pool="http"}`
	for all := s.metrics(); all[lost] == 0; all = s.metrics() { // each request is a line
		for range 100 {
			_ = s.ready()
		}
	}
	s.stop()
}
