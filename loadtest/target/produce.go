package target

import (
	"context"
	"math"
)

// Run fills the ring until ctx ends. It must be called once.
func (m *Magazine) Run(ctx context.Context) error {
	p := &producer{Magazine: m, builder: newBuilder(m.recipe), stored: make([]uint64, len(m.ring))}
	filled := false
	for ctx.Err() == nil {
		p.sweep()
		if p.room() {
			p.make()
			continue
		}
		if !filled {
			filled = true
			close(m.full)
		}
		m.rouse.Store(p.rouse())
		if p.sweep(); p.room() { // Next came between
			continue
		}
		select {
		case <-m.wake:
		case <-ctx.Done():
		}
		m.rouse.Store(math.MaxUint64)
	}
	return nil
}

// producer is the side of a magazine that fills it.
type producer struct {
	*Magazine
	builder *builder
	stored  []uint64 // what was put where
	made    uint64   // the next one to build
	swept   uint64   // what came before has been taken, or is no longer wanted
}

// sweep takes out what Next has passed over.
func (p *producer) sweep() {
	next := p.next.Load()
	if next > p.swept+uint64(len(p.ring)) { // all that is there, or nearly
		for at, seq := range p.stored {
			if seq < next {
				p.discard(at)
			}
		}
		p.swept = next
	}
	for ; p.swept < next; p.swept++ {
		if at := int(p.swept % uint64(len(p.ring))); p.stored[at] == p.swept {
			p.discard(at)
		}
	}
	p.made = max(p.made, next)
}

// discard empties a place. A shot that is in it is not looked at before it has
// been taken out: until then, Next may have it and give it to somebody else.
func (p *producer) discard(at int) {
	if s := p.ring[at].Swap(nil); s != nil {
		p.bytes.Add(-s.weight())
		p.Return(s)
	}
}

// room reports whether another shot has a place.
func (p *producer) room() bool {
	ahead := p.made - p.swept
	return ahead < uint64(len(p.ring)) && (ahead == 0 || p.bytes.Load() < p.memory)
}

// make builds the next shot and puts it into the ring. Next may have passed it
// meanwhile; then sweep finds it.
func (p *producer) make() {
	s := p.blank()
	p.builder.build(s, p.made)
	p.bytes.Add(s.weight())
	at := p.made % uint64(len(p.ring))
	p.stored[at] = p.made
	p.ring[at].Store(s)
	p.made++
}

// rouse is what Next has to reach before it is worth while to go on: half of
// the ring, or the next shot if memory is short.
func (p *producer) rouse() uint64 {
	if ahead := p.made - p.swept; ahead < uint64(len(p.ring)) {
		return p.swept + 1
	}
	return p.made - uint64(len(p.ring)/2)
}
