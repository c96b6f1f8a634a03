package loadtest

import "time"

// Variant is which of its traffic's requests one was.
type Variant uint8

const (
	Plain    Variant = iota
	Repeated         // sent a second time under the same id
	Spoiled          // must be refused; Sample.Negative says how it was spoiled
)

// Outcome is what became of a request.
type Outcome uint8

const (
	OK         Outcome = iota // answered as expected
	Unexpected                // answered otherwise
	Broken                    // the connection was refused or ended, or the answer was none
	TimedOut                  // not answered within Client.Timeout
	Dropped                   // never sent: it could not be within Client.LateLimit, or before the run ended
	OwnFault                  // not sent through a fault of this machine: descriptors, ports. Never booked on the target
)

// Outcomes are all of them, in order.
var outcomes = [...]string{"ok", "unexpected", "broken", "timeout", "dropped", "own_fault"}

// Outcomes is how many there are.
const Outcomes = len(outcomes)

func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return "unknown"
}

// Failed reports whether the target did not do what was expected of it.
func (o Outcome) Failed() bool { return o != OK && o != OwnFault }

// Completes reports whether it was the target that ended the request, well or
// badly, and not we who gave it up.
func (o Outcome) Completes() bool { return o == OK || o == Unexpected || o == Broken }

// Answered reports whether there was an answer.
func (o Outcome) Answered() bool { return o == OK || o == Unexpected }

// Sample is what became of one request. All times count from the start of the
// run, on the monotonic clock; those that were not reached are 0.
type Sample struct {
	Traffic  int    // index in Scenario.Traffic
	Phase    int    // index in Scenario.Phases, of when it was due
	Seq      uint64 // of its traffic, over all phases, from 0
	Of       uint64 // the Seq whose id it carries: its own, unless it is Repeated
	Variant  Variant
	Negative int // index in Traffic.Negatives, of Spoiled

	Due   time.Duration // by the schedule
	Ready time.Duration // the dispatcher would have sent it
	Slot  time.Duration // a slot was free
	Sent  time.Duration // it was handed to the connection
	First time.Duration // first byte of the answer
	Done  time.Duration // last byte of the answer, or when it was given up

	Outcome  Outcome
	Status   int    // of the answer; 0 if none
	Class    string // of what went wrong: bounded, without addresses; "" if nothing did
	BytesIn  int64
	BytesOut int64
	Reused   bool // the connection
}

// Response is what a user would have waited: from when it was due. It is what
// thresholds mean by it.
func (s *Sample) Response() time.Duration { return s.Done - s.Due }

// Service is how long the target took, from the send. 0 if it was never sent.
func (s *Sample) Service() time.Duration {
	if s.Sent == 0 {
		return 0
	}
	return s.Done - s.Sent
}

// SelfLag is how late it was sent through the generator's own fault.
func (s *Sample) SelfLag() time.Duration {
	lag := max(0, s.Ready-s.Due)
	if s.Sent > s.Slot {
		lag += s.Sent - s.Slot
	}
	return lag
}

// SlotWait is how late it was sent because all slots were busy: the target's
// fault. One that never got a slot waited for it to its end.
func (s *Sample) SlotWait() time.Duration {
	if s.Slot == 0 && s.Ready > 0 {
		return max(0, s.Done-s.Ready)
	}
	return max(0, s.Slot-s.Ready)
}

// TTFB is the time from send to the first byte; 0 if there was none.
func (s *Sample) TTFB() time.Duration {
	if s.First == 0 || s.Sent == 0 {
		return 0
	}
	return s.First - s.Sent
}

// Measure returns the duration that m means, and whether it means one here: a
// request that was never sent took no service time, and one that failed through
// this machine's own fault says nothing about the target.
func (s *Sample) Measure(m Metric) (d time.Duration, ok bool) {
	theirs := s.Outcome != OwnFault
	switch m {
	case MetricResponse:
		return s.Response(), theirs
	case MetricService:
		return s.Service(), theirs && s.Sent > 0
	case MetricTTFB:
		return s.TTFB(), theirs && s.Sent > 0 && s.First > 0
	case MetricSelfLag:
		return s.SelfLag(), s.Ready > 0
	case MetricSlotWait:
		return s.SlotWait(), theirs && s.Ready > 0
	}
	return 0, false
}

// Sink takes samples in the order in which requests end. It is called from one
// goroutine at a time, and must not block: what it takes is the sender's time.
type Sink interface {
	Take(s *Sample)
}
