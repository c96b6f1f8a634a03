// Package recording keeps deliveries as they came in, so that they can be sent
// again.
//
// It owns the files and their format, one JSON object a line:
//
//	{"at_ns":1500000000,"time":"2026-03-02T09:15:30.1Z","hook":"shop","provider":"github",
//	 "method":"POST","path":"/hooks/shop","headers":{"X-GitHub-Event":"push"},
//	 "event":"push","id":"72d3162e","proof":"good","bytes":7012,"body":"{…}"}
//
// at_ns counts from the first delivery of the process that wrote the file, on
// the monotonic clock; body is body_base64 where it is not UTF-8; refused says
// why a delivery was not taken, and cut that not all of its body is there.
//
// It owns what is not kept: of headers, only those on a list are, and no
// signature, token or cookie is on it; paths come without a secret segment and
// without a query; the secrets of the configuration and the user information of
// URLs are taken out of everything else.
//
// Space is bounded, in deliveries and in bytes: the oldest files go first.
// Deliveries that prove no secret have a tenth of it for themselves, so that a
// stranger cannot push out those that do. Every process writes files of its own;
// when it is killed, the last line of its last file may be torn, and what it had
// not written yet is lost.
//
// It refuses to make anybody wait: what does not fit into a bounded queue, and
// what a full disk does not take, is counted and dropped.
//
// Goroutines: [Recorder.Run], which is the only one that writes.
package recording
