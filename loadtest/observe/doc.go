// Package observe watches the service from outside while it is under load: its
// metrics in Prometheus text format, and its processes in /proc.
//
// It owns how a series is named ([Name]), which series are looked at ([Want]),
// and the nouns that hold for every service: rss, heap_live, goroutines, fds
// and threads, from whatever says them best. It judges nothing: points go to
// whoever asked for them, and when there were none, [Observer.Gone] tells.
//
// Memory is bounded however long a run is: only series that somebody wants are
// kept, and their points are merged pairwise when there are too many.
//
// Goroutines: [Observer.Run] owns one that scrapes and one that reads /proc, so
// that a service that does not answer is still seen from outside.
package observe
