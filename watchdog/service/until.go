package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/worker"
)

// drained is how often it is looked whether connections are left.
const drained = 5 * time.Millisecond

// ServeUntil runs an HTTP server on the socket of that name until intake is
// done, as in
//
//	return service.ServeUntil(intake, work, w, "web", app.Listener)
//
// It tells the master that the worker is ready, stops accepting when intake is
// done, and then waits, until work is done, for every connection that was
// accepted: the guard sees to it that each gets its answer, and no other
// request. The Shutdown of net/http and fasthttp does less: it closes
// connections that were accepted a moment ago without an answer. In a pool
// that is not guarded nobody ends connections, and none is waited for.
func ServeUntil(intake, work context.Context, w *worker.Worker, name string, serve func(net.Listener) error) error {
	listener, ok := w.Listeners()[name]
	if !ok {
		return fmt.Errorf("serve: the pool has no listener %q", name)
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(listener) }() // ends with the listener
	if err := w.Ready(); err != nil {
		w.Log().Warn("the master was not told", watchdog.KeyError, err)
	}
	select {
	case err := <-failed:
		if err == nil {
			err = errors.New("the server ended by itself")
		}
		return fmt.Errorf("serve %s: %w", name, errors.Join(err, listener.Close()))
	case <-intake.Done():
	}
	err := listener.Close()
	<-failed // it can only say that the listener is closed
	tick := time.NewTicker(drained)
	defer tick.Stop()
	for connected(w.Region()) && work.Err() == nil {
		select {
		case <-tick.C:
		case <-work.Done(): // what is left ends with the process
		}
	}
	return err
}

// connected reports whether a connection is left.
func connected(r *scoreboard.Region) bool {
	used := r.Used()
	for i := range used {
		if used[i].Token().Phase() != scoreboard.Empty {
			return true
		}
	}
	return false
}
