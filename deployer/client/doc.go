// Package client speaks the HTTP API of a running seadog service.
//
// It owns the way there and back: addresses (TCP, TLS and Unix sockets), the
// bearer token, deadlines, and turning every answer that is not a success into
// a [deployer.Error]. It refuses to retry anything that changes something, to
// follow redirects and to use a proxy: the token goes to the host that the user
// named, and nowhere else. Only [Client.Follow], which reads, reconnects.
//
// It starts no goroutine of its own; a Client may be used concurrently.
package client
