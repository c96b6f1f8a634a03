package target

import (
	"fmt"
	"hash/fnv"

	"github.com/seadog/seadog/loadtest"
)

// reach is how far back a repeated request looks for one to repeat.
const reach = 256

// Choice says which request of its traffic one is.
type Choice struct {
	Variant  loadtest.Variant
	Negative int    // index in Traffic.Negatives, of Spoiled
	Of       uint64 // whose id and content it carries: its own, unless it is Repeated
}

// Mix decides what each request of a traffic is. It is immutable.
type Mix struct {
	seed      uint64
	negatives []float64           // upper ends of their shares, one after the other
	spoiled   float64             // all of them
	replay    float64             // upper end of the share that is repeated
	recorded  []loadtest.Recorded // what decides instead, if there is any
}

// NewMix returns the mix of a traffic. It is an error if its shares are none.
func NewMix(seed uint64, t *loadtest.Traffic) (*Mix, error) {
	h := fnv.New64a()
	h.Write([]byte(t.Name))
	m := &Mix{seed: scramble(seed ^ h.Sum64()), recorded: t.Request.Recorded}
	for _, n := range t.Negatives {
		if !(n.Share >= 0 && n.Share <= 1) {
			return nil, fmt.Errorf("negative %q: a share of %v; write one between 0%% and 100%%", n.Name, n.Share)
		}
		m.spoiled += n.Share
		m.negatives = append(m.negatives, m.spoiled)
	}
	if m.replay = m.spoiled + t.Replay.Share; !(t.Replay.Share >= 0 && m.replay <= 1) {
		return nil, fmt.Errorf("replay and negatives have %.4g%% of the requests; lower their shares to 100%% together", m.replay*100)
	}
	return m, nil
}

// Choose returns what request seq is. The first requests of a traffic have
// nothing to repeat and are plain instead.
func (m *Mix) Choose(seq uint64) Choice {
	if n := uint64(len(m.recorded)); n > 0 {
		r := &m.recorded[seq%n]
		return Choice{Variant: r.Variant, Negative: r.Negative, Of: seq - seq%n + r.Of}
	}
	c := Choice{Of: seq}
	u := m.draw(seq)
	switch {
	case u < m.spoiled:
		c.Variant = loadtest.Spoiled
		for u >= m.negatives[c.Negative] {
			c.Negative++
		}
	case u < m.replay:
		if of, ok := m.earlier(seq); ok {
			c.Variant, c.Of = loadtest.Repeated, of
		}
	}
	return c
}

// earlier finds a plain request among the last ones before seq.
func (m *Mix) earlier(seq uint64) (uint64, bool) {
	n := min(seq, reach)
	if n == 0 {
		return 0, false
	}
	first := scramble(m.seed^^seq) % n
	for i := range n {
		if of := seq - 1 - (first+i)%n; m.draw(of) >= m.replay {
			return of, true
		}
	}
	return 0, false
}

// draw returns a number in [0, 1) that belongs to seq.
func (m *Mix) draw(seq uint64) float64 {
	return float64(scramble(m.seed+seq)>>11) / (1 << 53)
}

// scramble is the finisher of SplitMix64: near numbers become far ones.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
