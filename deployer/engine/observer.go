package engine

import "time"

// Observer sees what a client sees of its engine. It is called concurrently, must
// not block and must not call the client.
type Observer interface {
	// Called is told of every call that was not given up by its caller: one of
	// [Calls], and whether it got no answer.
	Called(call string, took time.Duration, failed bool)
	// Breaker is told when the breaker opens, and when it closes again.
	Breaker(open bool)
}

// unobserved is nobody.
type unobserved struct{}

func (unobserved) Called(string, time.Duration, bool) {}
func (unobserved) Breaker(bool)                       {}

// Names of the calls, as the docker command has them.
const (
	callList         = "container list"
	callInspect      = "container inspect"
	callLogs         = "container logs"
	callRename       = "container rename"
	callRemove       = "container remove"
	callImageTag     = "image tag"
	callImageRemove  = "image remove"
	callImageList    = "image list"
	callImageInspect = "image inspect"
	callVersion      = "version"
)

// Calls lists the names of all calls.
func Calls() []string {
	return []string{
		callList, callInspect, callLogs, callRename, callRemove,
		callImageTag, callImageRemove, callImageList, callImageInspect, callVersion,
	}
}

// Breaker returns the state of the breaker.
func (c *Client) Breaker() Breaker { return c.breaker.snapshot() }
