package attack_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

// TestAStallIsNotHidden is what vegeta fails: 1,000 a second, ten slots, nothing
// answered for two seconds. It reports a p99 of half a millisecond then, and
// sends 2,000 requests within a tenth of a second afterwards.
func TestAStallIsNotHidden(t *testing.T) {
	t.Parallel()
	for _, transport := range transports() {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			address := child(t, "server")
			s := scenario(address, 1000, 5*time.Second)
			s.Client.Transport, s.Client.MaxInflight, s.Client.LateLimit = transport, 10, 10*time.Second
			a, sink := prepare(t, s)
			stall(t, a, address, time.Second)
			if err := a.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			account(t, sink.all, 5000)
			if got := p99(sink.all, (*loadtest.Sample).Response); got < 1500*time.Millisecond {
				t.Errorf("p99 of response is %s", got)
			}
			if got := p99(sink.all, (*loadtest.Sample).Service); got > 1500*time.Millisecond {
				t.Errorf("p99 of service is %s: only ten requests were on their way", got)
			}
			self, slot := lateness(sink.all)
			if slot < 4*self {
				t.Errorf("a target that stalls is blamed for %s, the generator for %s", slot, self)
			}
			for i := range sink.all { // when it gave out slots, whenever workers then ran
				sink.all[i].Sent = sink.all[i].Slot
			}
			if got := most(sink.all); got > 220 {
				t.Errorf("%d were sent within a tenth of a second, of 100 nominal", got)
			}
		})
	}
}

// stall makes a child stand still for two seconds, some time after a run began.
func stall(t *testing.T, a *attack.Attack, address string, after time.Duration) {
	t.Helper()
	var staller sync.WaitGroup
	staller.Go(func() {
		<-a.Started()
		<-time.After(after)
		if resp, err := http.Get("http://" + address + "/stall"); err == nil {
			resp.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(staller.Wait)
}

// lateness adds up who is to blame.
func lateness(all []loadtest.Sample) (self, slot time.Duration) {
	for i := range all {
		self += all[i].SelfLag()
		slot += all[i].SlotWait()
	}
	return self, slot
}

// TestAStarvedGeneratorKnowsIt: goroutines that never pause take all processors.
// Answers wait until somebody looks, slots are held meanwhile.
func TestAStarvedGeneratorKnowsIt(t *testing.T) {
	s := scenario(child(t, "server"), 1000, 4*time.Second)
	s.Client.MaxInflight, s.Client.LateLimit = 10, 10*time.Second
	a, sink := prepare(t, s)
	var hogs sync.WaitGroup
	hogs.Go(func() {
		<-a.Started()
		<-time.After(time.Second)
		for range 4 * runtime.GOMAXPROCS(0) {
			hogs.Go(func() {
				for began := time.Now(); time.Since(began) < 1500*time.Millisecond; { //nolint:revive // it is meant to burn
				}
			})
		}
	})
	if err := a.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	hogs.Wait()
	account(t, sink.all, 4000)
	if self, slot := lateness(sink.all); self < 2*slot {
		t.Errorf("a generator that is starved blames the target for %s, itself for %s", slot, self)
	}
	if g := a.Generator(); g.OK || g.Rules[0].OK {
		t.Errorf("it believes itself: %+v", g.Rules[0])
	}
}

// TestAFastTargetDoesNotMakeItCollapse is what vegeta without a limit of workers
// fails: near its capacity it starts tens of thousands of them.
func TestAFastTargetDoesNotMakeItCollapse(t *testing.T) {
	s := scenario(child(t, "server"), 30_000, 2*time.Second)
	s.Client.MaxInflight, s.Client.MaxConns = 256, 256
	a, sink := prepare(t, s)
	var watch sync.WaitGroup
	most := 0
	ctx, over := context.WithCancel(context.Background())
	watch.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			most = max(most, runtime.NumGoroutine())
			<-tick.C
		}
	})
	if err := a.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	over()
	watch.Wait()
	account(t, sink.all, 60_000)
	// A worker for each slot and a few more, and for each connection two goroutines of net/http.
	if limit := 256 + 256/8 + 2*256 + 100; most > limit {
		t.Errorf("%d goroutines, at most %d are needed", most, limit)
	}
}
