package process_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func TestAThreadThatComputesIsSeen(t *testing.T) {
	var end atomic.Bool
	tid := make(chan int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tid <- unix.Gettid()
		for !end.Load() {
		}
	}()
	spinner := <-tid
	go func() { // a thread that computes for a moment, and then not
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for begun := time.Now(); time.Since(begun) < 30*time.Millisecond; {
		}
		tid <- unix.Gettid()
		<-done
	}()
	sleeper := 0
	deadline := time.Now().Add(20 * time.Second)
	for seen := false; !seen; {
		used, err := process.Computing(t.Context(), 5, 12*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if _, own := used[unix.Gettid()]; own {
			t.Error("who looks sees itself")
		}
		select {
		case sleeper = <-tid:
			continue
		default:
		}
		if _, runs := used[sleeper]; runs && sleeper != 0 {
			t.Error("a thread that sleeps seems to compute")
		}
		if seen = used[spinner] > 0 && sleeper != 0; !seen && time.Now().After(deadline) {
			t.Fatalf("thread %d is not among %v", spinner, used)
		}
	}
	end.Store(true)
	<-done
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	for time.Now().Before(deadline) {
		used, err := process.Computing(ctx, 5, time.Hour)
		if errors.Is(err, why) || err == nil && len(used) == 0 { // nobody computes: there was nothing to wait for
			return
		}
	}
	t.Error("an ended context did not end it")
}
