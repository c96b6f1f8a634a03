// Package hang notices that the service is stuck while it is under load, and
// finds out at once why.
//
// It owns what stuck means:
//
//	H1  a request has had no first byte for too long
//	H2  requests are out, and none of them ends
//	H3  three fresh connections in a row are not answered
//	H4  work waits, none is done, and the service says that it is well
//	H5  the load is over, and the service does not come to rest
//
// Each is a small rule that is fed with facts and touches nothing. A stretch in
// which a rule sees the service stuck is one event, however long it is. When one
// begins, evidence is gathered, each piece under its own deadline: goroutine
// dumps now and a while later, profiles, the flight recorder of a service that
// shows one at /debug/flight, /proc of all processes, metrics, our own requests
// in flight, the service's own incidents. The evidence goes into files beside
// the report.
//
// It refuses to judge a run: whether a hang fails it is said elsewhere. It does
// not read dumps: how is injected. When this machine itself was late, time does
// not count.
//
// Goroutines: [Detector.Run] owns the prober, and one for each evidence that is
// being gathered, and waits for all of them.
package hang
