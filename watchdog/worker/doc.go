// Package worker is the child's side of the watchdog: [Start] claims what the
// master handed over, and [Worker.Run] does the work under its eyes.
//
//	w, err := worker.Start(worker.Config{Log: log})
//	…
//	err = w.Run(ctx, func(intake, work context.Context) error {
//		// open the store, build the server
//		if err := w.Ready(); err != nil { … }
//		// serve until intake is done, finish what was begun,
//		// give it up when work is done
//	})
//
// Two contexts end a worker. intake is done when it shall take no new work;
// work is done when it shall give up what it has. Their causes say why:
// [ErrDrain], [ErrStop] or [ErrMasterGone].
//
// A server that is to lose no connection while it drains closes its listener,
// waits until its Serve has returned, lets every connection that it accepted
// answer one request and close, and only then goes. The Shutdown of net/http
// does less: a connection that was accepted a moment before is closed without
// an answer.
//
// In a guarded pool, [Worker.Listeners] accept only when the master says so, a
// guard watches over the requests on their connections, and what it gives up is
// looked into by package deadlock and written down as an incident.
//
// While Run runs, the package owns six goroutines, and waits for them: one
// beats in the scoreboard, every 100 ms or, without connections, every 500 ms,
// and looks once a second whether the master is still the parent; one reads the
// control socket, one receives signals; and those of guard, detector and package
// selfdump, which gives whoever may ask a goroutine dump. The last three outlive
// the contexts of the work: what is stuck is stuck in a drain as well.
//
// It refuses to know what the worker does, and it never ends the process, with
// one exception: when the master is gone and the work has not ended within the
// pool's kill grace, the process kills itself. Nobody else is left to do it.
package worker
