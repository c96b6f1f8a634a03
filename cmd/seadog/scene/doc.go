// Package scene builds what the demo and the release gate play on: a real
// service, a real repository and a real Compose project on this machine, for a
// while. Whatever it makes it also removes.
//
// It drives everything from outside, as a forge, a browser and a person would.
// Goroutines: one per [Child], which waits for the process.
package scene
