// Package enginetest gives tests a Docker engine of their own, and something to run on it.
//
// It owns a private dockerd (socket, data, containers, a bridge that leads nowhere)
// that is gone with its mounts and processes when the test is over, and a tiny static
// server that misbehaves on request, as images and as build contexts FROM
// scratch: nothing is ever pulled. It refuses to touch an engine that it did not start.
//
// A test that needs an absent part (dockerd, docker, its Compose plugin, root)
// is skipped, or fails where CI=true.
//
// Nothing is forwarded for it, so services need `network_mode: none` or `host`.
//
// Goroutines: one per engine, which waits for its dockerd and ends with it.
package enginetest
