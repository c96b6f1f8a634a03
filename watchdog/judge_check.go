package watchdog

import (
	"fmt"
	"math"
	"time"
)

// How often the master looks, and workers say that they live.
const (
	tick      = 100 * time.Millisecond
	heartbeat = 100 * time.Millisecond
)

// Check reports every limit that makes no sense, alone or beside another one:
// what is wrong and what to do. Zero fields count as their defaults.
func (p Policy) Check() []error {
	p = p.WithDefaults()
	var errs []error
	demand := func(good bool, format string, args ...any) {
		if !good {
			errs = append(errs, fmt.Errorf("policy: "+format, args...))
		}
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"Harakiri", p.Harakiri}, {"Mercy", p.Mercy}, {"Drain", p.Drain}, {"Dump", p.Dump}, {"Recycle.MinLifetime", p.Recycle.MinLifetime},
	} {
		demand(f.value > 0, "%s is %s: make it positive, or 0 for the default", f.name, f.value)
	}
	demand(p.Slack >= 2*tick, "Slack is %s: the master looks every %s, give a worker at least %s to answer itself", p.Slack, tick, 2*tick)
	demand(p.Harakiri+p.Slack > p.Harakiri, "Harakiri is %s: the hard deadline, Slack (%s) later, must come after it", p.Harakiri, p.Slack)
	demand(p.Fresh > heartbeat, "Fresh is %s: workers beat every %s, make it longer", p.Fresh, heartbeat)
	demand(p.Frozen > 2*heartbeat, "Frozen is %s: workers beat every %s, make it longer than two beats", p.Frozen, heartbeat)
	demand(p.Frozen > p.Fresh, "Frozen is %s: make it longer than Fresh (%s), or workers are killed that count as alive", p.Frozen, p.Fresh)
	demand(p.Unavailable > 0 && p.Unavailable <= 1, "Unavailable is %v: it is a share of the pool, more than 0 and at most 1", p.Unavailable)
	return append(errs, p.Recycle.check()...)
}

func (r Recycle) check() []error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"Lifetime", int64(r.Lifetime)},
		{"Memory", r.Memory},
		{"MemoryHard", r.MemoryHard},
		{"Goroutines", int64(r.Goroutines)},
		{"Descriptors", int64(r.Descriptors)},
	} {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("policy: Recycle.%s is negative: use 0 for no limit", f.name))
		}
	}
	if r.Memory > 0 && r.MemoryHard > 0 && r.MemoryHard <= r.Memory {
		errs = append(errs, fmt.Errorf("policy: Recycle.MemoryHard (%d) must be more than Recycle.Memory (%d): raise it, or set one of them to 0", r.MemoryHard, r.Memory))
	}
	if r.Lifetime > 0 && r.Lifetime < r.MinLifetime {
		errs = append(errs, fmt.Errorf("policy: Recycle.Lifetime (%s) is less than Recycle.MinLifetime (%s), which would win: lower that too", r.Lifetime, r.MinLifetime))
	}
	if math.IsNaN(r.Jitter) || r.Jitter > 1 {
		errs = append(errs, fmt.Errorf("policy: Recycle.Jitter is %v: at most 1, or negative for none", r.Jitter))
	}
	return errs
}
