package pace

import "github.com/seadog/seadog/loadtest"

// Trial is a rate that a search tried, and whether everything held at it.
type Trial struct {
	Rate float64 // per second
	Held bool
}

// precision is how close a search gets to what the service can do.
const precision = 0.05

// Next returns the rate that a search of p tries after trials; it is not ok
// when the answer is known, see [Capacity]. It climbs from From by Step until
// something does not hold, or To does, and then halves the gap between the
// highest rate that held and the lowest that did not, until the two are within
// 5 %. If not even From holds, it looks below, down to a sixteenth.
//
//	tried  100 ✓  200 ✓  300 ✓  400 ✗   350 ✓  375 ✗  362.5 ✓   → 362.5 held, 375 did not
func Next(p loadtest.Pacing, trials []Trial) (rate float64, ok bool) {
	held, failed := Capacity(trials)
	switch {
	case failed == 0 && held >= p.To:
		return 0, false
	case failed == 0:
		for i := range rungs(p) {
			if rung(p, i) > held {
				return rung(p, i), true
			}
		}
		return 0, false
	case failed <= held*(1+precision) || held == 0 && failed <= p.From/16:
		return 0, false
	}
	return (held + failed) / 2, true
}

// Capacity returns what trials say: the highest rate at which everything held,
// and the lowest at which something did not; 0 where there is none. A rate that
// held above one that did not was luck, and does not count.
func Capacity(trials []Trial) (held, failed float64) {
	for _, t := range trials {
		if !t.Held && (failed == 0 || t.Rate < failed) {
			failed = t.Rate
		}
	}
	for _, t := range trials {
		if t.Held && (failed == 0 || t.Rate < failed) {
			held = max(held, t.Rate)
		}
	}
	return held, failed
}
