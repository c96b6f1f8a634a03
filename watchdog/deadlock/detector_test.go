package deadlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/deadlock"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// logs is a log that tests read.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// start runs a detector until the test ends, or stop is called.
func start(t *testing.T, change func(*deadlock.Config)) (w *worker, l *logs, stop func()) {
	t.Helper()
	l = &logs{}
	w, closeBoard, err := newWorker(func(c *deadlock.Config) {
		c.Log = slog.New(slog.NewTextHandler(l, nil))
		if change != nil {
			change(c)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.d.SetLimits(time.Millisecond, 50*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		if err := w.d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ran
		closeBoard()
	})
	t.Cleanup(stop)
	return w, l, stop
}

func (w *worker) report(t *testing.T) report {
	t.Helper()
	select {
	case r := <-w.reports:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("no incident was recorded")
		return report{}
	}
}

// eventually waits until something is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for until := time.Now().Add(20 * time.Second); !is(); <-poll.C {
		if time.Now().After(until) {
			t.Fatal(what)
		}
	}
}

// stand waits for nothing, in a place of its own.
func stand(until chan struct{}) { <-until }

func TestStacksOfOnePlaceAreTakenOnce(t *testing.T) {
	t.Setenv("GODEBUG", "tracebacklabels=1")
	w, _, _ := start(t, nil)
	until := make(chan struct{})
	defer close(until)
	for slot := range 2 {
		w.serve(slot, 1, func(context.Context) { stand(until) })
	}
	await(func(d *stackdump.Dump) bool {
		n := 0
		for _, g := range d.Goroutines {
			if g.Where().Name() == "deadlock_test.stand" && g.State == "chan receive" {
				n++
			}
		}
		return n == 2
	})
	w.kill("i1", 0, 1)
	first := w.report(t)
	if v := first.Incident.Verdict; !strings.Contains(v, "Request r0 (POST /a) waits (chan receive) in deadlock_test.stand (detector_test.go:") || first.Dump == "" {
		t.Errorf("the first: %s", v)
	}
	w.kill("i2", 1, 1)
	second := w.report(t)
	if v := second.Incident.Verdict; !strings.Contains(v, "Request r1 (POST /a) waits (chan receive)") || !strings.Contains(v, ", as incident i1 says.") || second.Dump != "" {
		t.Errorf("the second: %s", v)
	}
	if m := second.Incident.Timeline; len(m) != 1 {
		t.Errorf("more than one dump: %+v", m)
	}
}

func TestKillsOfOneIncidentComeTogether(t *testing.T) {
	w, _, stop := start(t, nil)
	for slot := range 150 {
		w.serve(slot, 1, func(context.Context) {})
		w.kill("i1", slot, 1)
	}
	for slot := 150; slot < 170; slot++ { // more incidents than fit
		w.serve(slot, 1, func(context.Context) {})
		w.kill(fmt.Sprintf("i%d", slot), slot, 1)
	}
	eventually(t, "kills are not looked at", func() bool { return len(w.reports) >= 8 })
	stop()
	close(w.reports)
	requests, folded := map[string]bool{}, ""
	last := map[string]watchdog.Incident{}
	for r := range w.reports {
		last[r.Incident.ID] = r.Incident
		for _, s := range r.Incident.Stuck {
			requests[s.Request] = true
		}
	}
	for _, i := range last {
		for _, m := range i.Timeline {
			if strings.Contains(m.What, "too many incidents at once") {
				folded = m.What
			}
		}
	}
	if len(last) != 8 || len(last["i1"].Stuck) != 100 || len(requests) != 120 {
		t.Errorf("%d incidents, %d requests in the first, %d in all", len(last), len(last["i1"].Stuck), len(requests))
	}
	if m := last["i1"].Timeline; len(m) == 0 || m[len(m)-1].What != "50 more requests were given up" {
		t.Errorf("timeline: %+v", m)
	}
	if !strings.Contains(folded, "i157, ") || !strings.Contains(folded, "i169") {
		t.Errorf("folded: %q", folded)
	}
}

func TestKilledNeverBlocks(t *testing.T) {
	w, closeBoard, err := newWorker(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBoard()
	for range 5000 { // nobody looks yet
		w.d.Killed(watchdog.Kill{Incident: "i1", At: time.Now(), Slot: -1, Request: "r1"})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.d.Run(ctx); err != nil {
		t.Fatal(err)
	}
	i := w.report(t).Incident
	if !strings.Contains(fmt.Sprint(i.Timeline), fmt.Sprintf("%d kills came too fast", 5000-1024)) {
		t.Errorf("timeline: %+v", i.Timeline)
	}
}

func TestADiskThatFails(t *testing.T) {
	w, l, _ := start(t, func(c *deadlock.Config) {
		c.Record = func(watchdog.Incident, []byte) error { return errors.New("no space") }
	})
	w.kill("i1", 0, 0)
	eventually(t, "the verdict is not in the log", func() bool {
		return l.count(`msg="incident is not stored" incident=i1 verdict="Request r0 (GET /) was given up`) == 1 && l.count("no space") == 1
	})
}

func TestADiskThatHangs(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	w, l, stop := start(t, func(c *deadlock.Config) {
		c.Record = func(watchdog.Incident, []byte) error { <-hang; return nil }
	})
	for slot := range 7 { // one is being stored, four wait
		w.kill(fmt.Sprintf("i%d", slot), slot, 0)
		eventually(t, "detection stopped", func() bool { return l.count("requests do not end") == slot+1 })
		w.end(slot)
	}
	eventually(t, "nobody says that it hangs", func() bool { return l.count("storing an incident hangs") == 1 })
	eventually(t, "nobody says what is lost", func() bool { return l.count("others have not been stored yet") == 2 })
	stop() // returns although it hangs
}

func TestALockThatIsHeldForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l, _ := start(t, nil)
		m := w.graph.Mutex("queue")
		for range 2 {
			if err := m.Lock(context.Background()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(29 * time.Second)
			synctest.Wait()
			if n := l.count("held for long"); n != 0 {
				t.Errorf("%d warnings too early", n)
			}
			m.Unlock()
		}
		if err := m.Lock(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if n := l.count(`msg="a lock is held for long" lock=queue holder="somebody without a name"`); n != 1 {
			t.Errorf("%d warnings", n)
		}
		if n := w.region.Counted(scoreboard.LockStalls); n != 1 {
			t.Errorf("%d are counted", n)
		}
		m.Unlock()
	})
}

func TestConfigSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	w, closeBoard, err := newWorker(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBoard()
	for want, change := range map[string]func(*deadlock.Config){
		"no region":         func(c *deadlock.Config) { c.Region = nil },
		"nowhere to record": func(c *deadlock.Config) { c.Record = nil },
		"no log":            func(c *deadlock.Config) { c.Log = nil },
	} {
		c := w.config
		change(&c)
		if _, err := deadlock.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestItStartsAndStops(t *testing.T) {
	t.Parallel()
	w, closeBoard, err := newWorker(func(c *deadlock.Config) { c.Graph = nil })
	if err != nil {
		t.Fatal(err)
	}
	defer closeBoard()
	var wg sync.WaitGroup
	for range 100 {
		d, err := deadlock.New(w.config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { _ = d.Run(ctx) })
		wg.Go(cancel)
	}
	wg.Wait()
}
