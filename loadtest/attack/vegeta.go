package attack

import (
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Vegeta is the engine: the attacker of the vegeta library, of which only the
// dispatcher and the workers are used. Its traps, and what is done about them:
//
//   - An attacker works once: there is a new one for every Run.
//   - Workers without a limit destroy it near its capacity, and workers with one
//     hide a stall: there is a limit, and next, not the attacker, waits for a
//     slot. There are a few more workers than slots, so that one is free.
//   - Its pacer catches up without bounds, and sleeps without regard to Stop:
//     next does all waiting, and Pace never asks for any.
//   - Its duration is a lower bound and what is missing is not reported: it has
//     none and is never stopped. The schedule ends it, through next.
//   - Its timestamps include the Targeter: they are not used, and the Targeter
//     does nothing but name a request that is never sent. The transport below
//     its client takes the hit instead, and the probe times it.
//   - It sends X-Vegeta-* headers, follows redirects, binds a local address,
//     reads bodies into results and judges status codes: none of that sees a hit.
//   - Its results come through an unbuffered channel: they are thrown away at once.
type Vegeta struct{}

var _ Engine = Vegeta{}

// firstWorkers are started at once, the others when they are needed.
const firstWorkers = 8

// Run implements [Engine].
func (Vegeta) Run(workers int, next func() *Hit, send func(*Hit)) {
	queue := make(chan *Hit, workers+1) // taken by nobody yet: at most one for each worker, and one that is handed over
	answer := &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: tripper{queue, send, answer}}),
		vegeta.Workers(uint64(min(firstWorkers, workers))),
		vegeta.MaxWorkers(uint64(workers)),
		vegeta.MaxBody(0),
	)
	for range attacker.Attack(blank, pacer{queue, next}, 0, "") { //nolint:revive // results are of no use
	}
	for { // A worker that never came to the transport: there is none, but no hit may be lost.
		select {
		case h := <-queue:
			send(h)
		default:
			return
		}
	}
}

// blank is the request that vegeta believes it sends.
func blank(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://blank"
	return nil
}

// pacer is next, as vegeta asks for it.
type pacer struct {
	queue chan<- *Hit
	next  func() *Hit
}

func (p pacer) Pace(time.Duration, uint64) (wait time.Duration, stop bool) {
	h := p.next()
	if h == nil {
		return 0, true
	}
	p.queue <- h
	return 0, false
}

func (pacer) Rate(time.Duration) float64 { return 0 }

// tripper sends a hit in place of the request that vegeta built. Which one does
// not matter: there are as many in the queue as workers that come for one.
type tripper struct {
	queue  <-chan *Hit
	send   func(*Hit)
	answer *http.Response // for all of them: nobody writes to it
}

func (t tripper) RoundTrip(*http.Request) (*http.Response, error) {
	t.send(<-t.queue)
	return t.answer, nil
}
