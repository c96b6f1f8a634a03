package loadtest

import "time"

// PacingKind names the shapes of a rate over time.
type PacingKind string

const (
	Constant PacingKind = "constant" // Rate
	Ramp     PacingKind = "ramp"     // From to To, linearly over the phase
	Steps    PacingKind = "steps"    // Steps one after another; the last one goes on
	Sine     PacingKind = "sine"     // Mean ± Amplitude with Period, beginning at Shift of it
	Spike    PacingKind = "spike"    // Base, and Peak from At for For
	Burst    PacingKind = "burst"    // Size at once, every Every
	Poisson  PacingKind = "poisson"  // Rate on average, independent arrivals by the seed
	Replayed PacingKind = "replay"   // offsets of File, Speed times as fast
	Search   PacingKind = "search"   // From to To by Step, each for For: finds what the service can do
)

// Pacing is when requests are due. Rates are per second. Of the fields, those
// of Kind are set.
type Pacing struct {
	Kind PacingKind

	Rate      float64 // constant, poisson
	From, To  float64 // ramp, search
	Steps     []Step  // steps
	Mean      float64 // sine
	Amplitude float64
	Period    time.Duration
	Shift     float64 // of Period, 0 … 1
	Base      float64 // spike
	Peak      float64
	At        time.Duration
	For       time.Duration // spike, search
	Size      int           // burst
	Every     time.Duration
	File      string  // replay
	Speed     float64 // replay
	Step      float64 // search

	Offsets []time.Duration // replay: read from File, ascending
}

// Step is one step of a staircase.
type Step struct {
	Rate float64 // per second
	For  time.Duration
}
