// Package service runs a program under the watchdog: one process as the
// master, which holds the listening sockets and watches, and the same binary
// executed again as its workers.
//
//	err := service.Run(ctx, service.Config{
//		Listen: []handoff.Spec{{Name: "web", Address: "127.0.0.1:8080"}},
//		Pools:  []watchdog.Pool{{Name: "web", Count: 2, Slots: 1024, Spare: true, Listeners: []string{"web"}}},
//		Data:   "/var/lib/shop",
//		Serve:  map[string]service.Serve{"web": serve},
//		Log:    slog.Default(),
//	})
//
// Run is called by all of them with the same configuration, before anything
// opens a descriptor or starts a process; in a worker it calls the Serve
// function of its pool. See the examples for a Fiber and a net/http server.
//
// It wires and decides nothing; what it starts is owned by packages master and worker.
package service
