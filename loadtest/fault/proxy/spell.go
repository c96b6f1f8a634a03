package proxy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/seadog/seadog/loadtest/fault"
)

// spell is a disturbance that is on.
type spell struct {
	door *door
	what fault.Disturbance
	undo sync.Once

	mu      sync.Mutex
	effects map[string]uint64
}

func newSpell(d *door, what fault.Disturbance) (*spell, error) {
	s := &spell{door: d, what: what, effects: map[string]uint64{}}
	if s.toxic(nil) == nil {
		return nil, fmt.Errorf("%q is no disturbance of connections", what.Kind)
	}
	return s, nil
}

// hits reports whether a link is one of those that are disturbed.
func (s *spell) hits(l *link) bool {
	switch s.what.Direction {
	case fault.Upstream:
		if l.dir != stream.Upstream {
			return false
		}
	case fault.Downstream:
		if l.dir != stream.Downstream {
			return false
		}
	}
	return s.what.Share >= 1 || rand.New(rand.NewPCG(s.what.Seed, l.pair.number)).Float64() < s.what.Share
}

// source is what is random on one link.
func (s *spell) source(l *link) *rand.Rand {
	return rand.New(rand.NewPCG(s.what.Seed, ^(l.pair.number<<1 + uint64(l.dir))))
}

// toxin is a toxic of one link, with what it remembers when the chain is built anew.
type toxin struct {
	toxic toxics.Toxic
	state any
}

// buffer is how many chunks may wait for it.
func (t toxin) buffer() int {
	if b, ok := t.toxic.(toxics.BufferedToxic); ok {
		return b.GetBufferSize()
	}
	return 0
}

// toxin makes the toxic for a link that is hit for the first time.
func (s *spell) toxin(l *link) toxin {
	if s.what.Direction != fault.Both || l.dir == stream.Upstream {
		s.count("connections")
	}
	t := toxin{toxic: s.toxic(s.source(l))}
	if stateful, ok := t.toxic.(toxics.StatefulToxic); ok {
		t.state = stateful.NewState()
	}
	return t
}

// toxic returns what the disturbance is made of; nil if there is nothing.
func (s *spell) toxic(random *rand.Rand) toxics.Toxic {
	switch s.what.Kind {
	case fault.Latency:
		return &latency{late: s.what.Latency, jitter: s.what.Jitter, random: random}
	case fault.Bandwidth:
		return &bandwidth{rate: s.what.Rate}
	case fault.Slicer:
		return &slicer{size: s.what.Bytes, vary: s.what.Vary, delay: s.what.Delay, random: random}
	case fault.SlowClose:
		return &toxics.SlowCloseToxic{Delay: milliseconds(s.what.Delay)}
	case fault.Timeout:
		return &toxics.TimeoutToxic{Timeout: milliseconds(s.what.After)}
	case fault.Reset:
		return &toxics.ResetToxic{}
	case fault.LimitData:
		return &toxics.LimitDataToxic{Bytes: s.what.Bytes}
	}
	return nil
}

// milliseconds rounds up: 0 means something else than almost nothing.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// swallows reports whether bytes vanish.
func (s *spell) swallows() bool { return s.what.Kind == fault.Timeout }

func (s *spell) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects[what]++
}

// Undo lets connections pass again.
func (s *spell) Undo() error {
	s.undo.Do(func() { s.door.lift(s) })
	return nil
}

// Effects counts connections that were disturbed, and that were cut by it.
func (s *spell) Effects() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.effects)
}
