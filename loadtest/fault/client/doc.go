// Package client is clients that behave badly towards an HTTP service.
//
// A [Crowd] is so many of them of one kind. Each does its wrong over and over,
// on a new connection once the service has ended the last one, until the crowd
// is called off: then all connections are closed, and everything is as it was.
// What the service does to them is counted, and nothing of it is an error; that
// this machine has no descriptors or ports left is one.
//
// Only hosts of the loopback are met. Goroutines: one for each client.
package client
