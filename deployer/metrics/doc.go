// Package metrics shows the deployer to Prometheus and to whoever asks whether
// it is well.
//
// It owns the names, labels and meanings of the deployer's metrics, and the
// small server that answers for the admin process ([Admin]). What processes
// count is counted by a [Recorder] into memory that belongs to somebody else and
// outlives them, as the [Table] has it; what is counted once and for all comes
// from the store. It refuses to register globally, and refuses to wait: a scrape
// and a health check are answered in bounded time even if what they ask about
// hangs.
//
// Goroutines: [Collector.Run] is the only one that asks the store; [Admin.Run]
// owns the HTTP server and the probes that it has to leave behind until they
// come back.
package metrics
