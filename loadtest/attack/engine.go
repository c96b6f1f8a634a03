package attack

import (
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
	"github.com/seadog/seadog/loadtest/target"
)

// Engine turns hits into calls: it is what runs the workers.
type Engine interface {
	// Run asks next for one hit after the other, from one goroutine, until it
	// returns nil, and calls send with each, from at most so many goroutines at
	// once. A call of next means that the hit before has been taken by a worker.
	// Run returns when all calls of send have returned.
	Run(workers int, next func() *Hit, send func(*Hit))
}

// Hit is one planned request on its way through an engine.
type Hit struct {
	sample  loadtest.Sample
	shot    *target.Shot
	request probe.Request
	lane    *lane
}
