// Package webhooks sends signed GitHub push deliveries to a service on this
// machine, as fast, as evenly or as suddenly as asked, and says what became of
// them.
//
// The sender usually shares its cores with what it measures, so it is cheap:
// bodies are built and signed ahead of time, a request is one copy, 36 bytes of
// delivery id and one write, and of an answer only the status and the length
// are read. It never retries, and refuses to send anywhere but to the loopback.
//
// Every attack waits for the goroutines that it starts, one per connection.
package webhooks
