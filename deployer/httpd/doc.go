// Package httpd is the HTTP plane: it takes webhooks and API calls, makes them
// durable through a [deployer.Store], and answers. It deploys nothing.
//
// It owns the routes (one table, from which the router and the test of
// openapi.json are fed), authentication, the bounds on what a client may send
// or make us do, the mapping of errors to answers, and live logs. It refuses to
// own listening sockets and TLS (listeners come in ready to accept), and knows
// nothing of Git, Docker or the processes around it.
//
// # What a client cannot do
//
// Nothing is unbounded before authentication. Headers have a size and a time.
// Bodies have a size per route and a time, are read as a stream, and share one
// budget of memory: above it, reading waits, first come first served. A body
// that is not read to its end costs its sender the connection. Connections
// have a number, and running out of descriptors pauses accepting instead of
// ending it.
//
// Every call to the store has a deadline. A delivery that cannot be made
// durable in time is answered 503, never 429, 409 or 422: a forge would not
// send it again.
//
// # Goroutines
//
// [Server.Run] starts one per listener and waits for them; the server below
// them runs one per connection, which end within the time of a drain. Nothing
// is started in a handler: live logs run on the goroutine of their connection.
package httpd
