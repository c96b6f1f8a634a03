// Package metrics shows the deployer to Prometheus and to whoever asks whether
// it is well.
//
// It owns the names, labels and meanings of the deployer's metrics, and the
// small server that answers for the admin process ([Admin]). It counts nothing
// itself except in [Counts], refuses to register globally, and refuses to wait:
// a scrape and a health check are answered in bounded time even if what they
// ask about hangs.
//
// Goroutines: [Collector.Run] is the only one that asks the store; [Admin.Run]
// owns the HTTP server and the probes that it has to leave behind until they
// come back.
package metrics
