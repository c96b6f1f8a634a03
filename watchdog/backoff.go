package watchdog

import "time"

// Backoff decides when a dead worker is started again. A worker that dies
// before it has lived for Settled died early. The zero value is the policy
// that its fields' comments name.
type Backoff struct {
	Free    int           // early deaths in a row after which it is restarted at once; 2 if 0
	First   time.Duration // delay after the next one; it doubles with each; 500 ms if 0
	Max     time.Duration // longest delay; 30 s if 0
	Settled time.Duration // a life this long forgets all early deaths; 60 s if 0
}

const (
	defaultFree    = 2
	defaultFirst   = 500 * time.Millisecond
	defaultMax     = 30 * time.Second
	defaultSettled = 60 * time.Second
)

// WithDefaults returns b with its zero fields filled.
func (b Backoff) WithDefaults() Backoff {
	if b.Free == 0 {
		b.Free = defaultFree
	}
	if b.First == 0 {
		b.First = defaultFirst
	}
	if b.Max == 0 {
		b.Max = defaultMax
	}
	if b.Settled == 0 {
		b.Settled = defaultSettled
	}
	return b
}

// Early returns the number of early deaths in a row, given how many there were
// before a worker died at the age of lived.
func (b Backoff) Early(before int, lived time.Duration) int {
	if lived >= b.WithDefaults().Settled {
		return 0
	}
	return before + 1
}

// Delay returns how long to wait before the restart after that many early
// deaths in a row. random in [0,1) spreads the delay over its upper half, so
// that workers which died together do not come back together.
func (b Backoff) Delay(early int, random float64) time.Duration {
	b = b.WithDefaults()
	if early <= b.Free {
		return 0
	}
	d := b.First
	for i := b.Free + 1; i < early && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(random*float64(d/2))
}
