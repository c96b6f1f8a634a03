// Package proxy stands between the service under test and what it needs: its
// database, the Docker engine, a Git remote. As long as nothing disturbs them
// connections pass as they are, half-closed ones too; what [Proxies.Disturb] does
// to them is what toxiproxy calls toxics.
//
// Of toxiproxy it uses the toxics and the stubs that they run in, not the proxy
// around them. That one was tried (v2.12.0): a toxic cannot be added or removed
// while any client of the proxy reads nothing, new connections wait meanwhile, and
// stopping it does not return. A service under disturbance has such clients, and
// a fault must be undone all the same. Besides, it speaks TCP only, and closes
// what was half closed. So listeners, connections and chains of toxics are ours,
// over TCP and Unix sockets, on both sides. A connection whose reader has stalled
// changes over when the reader goes on, and nobody waits for it.
//
// Three toxics are ours too (latency, bandwidth, slicer): toxiproxy's draw from a
// random source that cannot be seeded, or lose data when they are removed while
// the reader has stalled. For the same reason the share of connections that are
// hit is not toxiproxy's toxicity, but drawn here: from the fault's seed and the
// connection's number, which counts from 0 in the order of arrival.
//
// Goroutines: for each proxy one that accepts, for each connection one that owns
// it and, for each direction, a reader, a writer, a keeper of the chain, and one for
// every toxic. [Proxies.Run] returns when they are all gone.
package proxy
