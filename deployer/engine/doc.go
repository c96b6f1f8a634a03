// Package engine observes the Docker engine, and never waits for it longer than
// it said it would.
//
// It owns the connection to the engine's API: every call has a deadline, every
// duration is counted, and a circuit breaker stops asking an engine that does not
// answer, so that one wedged engine costs each deployment one deadline, not one
// per container. That the engine is wedged is an error of its own, [ErrWedged],
// with a sentence that names the call; [CauseOf] turns it into a deployment's cause.
//
// The breaker opens after three calls in a row that got no answer. An
// engine may answer _ping, and even list containers, while it hangs on one of
// them; so what closes the breaker again is a list and an inspect, both in time. An error
// that the engine answers with ("no such container") is an answer.
//
// It refuses to deploy: Compose does that, in processes that can be killed. What it
// changes is small and never a running service: tags that keep images from
// being pruned, and what a killed Compose leaves behind ([Client.Repair]).
//
// The package starts no goroutine of its own; a [Client] is safe for concurrent use.
package engine
