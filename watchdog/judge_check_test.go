package watchdog_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
)

func TestPolicyChecks(t *testing.T) {
	t.Parallel()
	for fact, p := range map[string]watchdog.Policy{
		"the defaults": {},
		"short limits": {
			Harakiri: 300 * time.Millisecond, Slack: 200 * time.Millisecond, Mercy: time.Millisecond, Fresh: 101 * time.Millisecond,
			Frozen: 201 * time.Millisecond, Drain: 1, Dump: 1, Unavailable: 1,
		},
		"all kinds of recycling": {Recycle: watchdog.Recycle{
			Requests: 1, Lifetime: time.Minute, Memory: 1, MemoryHard: 2, Goroutines: 1, Descriptors: 1, Jitter: -1,
		}},
		"only a hard limit": {Recycle: watchdog.Recycle{MemoryHard: 1}},
	} {
		if errs := p.Check(); len(errs) > 0 {
			t.Errorf("%s: %v", fact, errors.Join(errs...))
		}
	}
	for want, change := range map[string]func(*watchdog.Policy){
		"Harakiri is -1ns: make it positive":                       func(p *watchdog.Policy) { p.Harakiri = -1 },
		"Mercy is -1ns: make it positive":                          func(p *watchdog.Policy) { p.Mercy = -1 },
		"Drain is -1ns: make it positive":                          func(p *watchdog.Policy) { p.Drain = -1 },
		"Dump is -1ns: make it positive":                           func(p *watchdog.Policy) { p.Dump = -1 },
		"Recycle.MinLifetime is -1ns: make it positive":            func(p *watchdog.Policy) { p.Recycle.MinLifetime = -1 },
		"Slack is 199ms: the master looks every 100ms":             func(p *watchdog.Policy) { p.Slack = 199 * time.Millisecond },
		"the hard deadline, Slack (5s) later, must come after it":  func(p *watchdog.Policy) { p.Harakiri = math.MaxInt64 },
		"Fresh is 100ms: workers beat every 100ms":                 func(p *watchdog.Policy) { p.Fresh = 100 * time.Millisecond },
		"Frozen is 200ms: workers beat every 100ms":                func(p *watchdog.Policy) { p.Fresh, p.Frozen = 101*time.Millisecond, 200*time.Millisecond },
		"Frozen is 250ms: make it longer than Fresh (250ms)":       func(p *watchdog.Policy) { p.Frozen = 250 * time.Millisecond },
		"Unavailable is 1.1: it is a share":                        func(p *watchdog.Policy) { p.Unavailable = 1.1 },
		"Unavailable is -0.1: it is a share":                       func(p *watchdog.Policy) { p.Unavailable = -0.1 },
		"Unavailable is NaN: it is a share":                        func(p *watchdog.Policy) { p.Unavailable = math.NaN() },
		"Recycle.Lifetime is negative":                             func(p *watchdog.Policy) { p.Recycle.Lifetime = -1 },
		"Recycle.Memory is negative":                               func(p *watchdog.Policy) { p.Recycle.Memory = -1 },
		"Recycle.MemoryHard is negative":                           func(p *watchdog.Policy) { p.Recycle.MemoryHard = -1 },
		"Recycle.Goroutines is negative":                           func(p *watchdog.Policy) { p.Recycle.Goroutines = -1 },
		"Recycle.Descriptors is negative":                          func(p *watchdog.Policy) { p.Recycle.Descriptors = -1 },
		"Recycle.MemoryHard (7) must be more than Recycle.Memory":  func(p *watchdog.Policy) { p.Recycle.Memory, p.Recycle.MemoryHard = 7, 7 },
		"Recycle.Lifetime (59s) is less than Recycle.MinLifetime ": func(p *watchdog.Policy) { p.Recycle.Lifetime = 59 * time.Second },
		"Recycle.Jitter is 1.5: at most 1":                         func(p *watchdog.Policy) { p.Recycle.Jitter = 1.5 },
		"Recycle.Jitter is NaN: at most 1":                         func(p *watchdog.Policy) { p.Recycle.Jitter = math.NaN() },
	} {
		var p watchdog.Policy
		change(&p)
		if errs := p.Check(); len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("Check() = %v, want %q alone", errs, want)
		}
	}
}
