// Package probe sends one request, once, and says what became of it.
//
//   - Where a hit is timed: [Probe.Send].
//   - Where it is classified: classify (what went wrong) and examine (whether an
//     answer is what was expected).
//   - Where a fault of our own is recognised: ownFaults.
//
// It never sends a request twice, though the clients below it would: net/http
// repeats a GET on a reused connection that broke, and tells nobody; fasthttp
// repeats even a POST, up to five times. That hides failures of the target, and
// makes the very duplicates that a webhook tester looks for. See noRetry and
// fastHTTP for how each is kept from it.
//
// Requests go out from no particular local address (an explicit one makes all
// destinations share one pool of ports), through no proxy, over HTTP/1.1 (over
// HTTP/2 one connection would carry everything, and neither MaxConns nor
// FreshConns would mean anything); they ask for no compression and follow no
// redirect.
//
// Time-outs are kept by one goroutine over a table of what is in flight, which
// is in order of sending and so of deadlines: that costs a request nothing,
// where a timer and a context of its own cost up to a fifth of the maximum
// rate. The same table says what is in flight, since when, and whether a first
// byte has come.
//
// Goroutines: that of [Probe.Run], and those of net/http, which end with
// [Probe.Close].
package probe
