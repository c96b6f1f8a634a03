// Package metrics shows a service under the watchdog to Prometheus: its pools,
// its workers, its requests, and what was done to those that did not end.
//
// All of it is read from the scoreboard, which outlives every worker, so that no
// counter goes backwards when one is replaced, be it the one that answers the
// scrape. What only the kernel knows (memory, descriptors, threads, processor
// time) is read from /proc by a goroutine of its own: a scrape waits for
// nobody, and says when what it shows is not new.
//
// It owns the names, labels and meanings of the watchdog's metrics. It counts
// nothing, judges nothing and registers nothing globally.
//
// The admin process of seadog registers a [Collector] beside its others. Any
// other service under the watchdog can have a pool for it:
//
//	Listen: []handoff.Spec{…, {Name: "admin", Address: "127.0.0.1:9100"}},
//	Pools:  []watchdog.Pool{…, metrics.Pool("admin")},
//	Serve:  map[string]service.Serve{…, "admin": metrics.Serve("admin")},
//
// Goroutines: [Collector.Run] is the one that reads /proc; [Serve] owns that
// one and the HTTP server.
package metrics
