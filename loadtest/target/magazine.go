package target

import (
	"fmt"
	"sync/atomic"

	"github.com/seadog/seadog/loadtest"
)

const (
	defaultRing   = 1024
	defaultMemory = 32 << 20
	// keptBuffer is the largest body whose memory is used again. Larger ones are
	// rare enough to be left to the collector.
	keptBuffer = 1 << 20
)

// Config says what a magazine holds. Run, Seed, BaseURL and Traffic are needed.
type Config struct {
	Run     string // of ids
	Seed    uint64 // the scenario's
	BaseURL string
	Traffic *loadtest.Traffic
	Ring    int   // requests kept ready; 1,024 by default
	Memory  int64 // bytes of bodies kept ready; 32 MiB by default. One is always built
}

// Magazine keeps the next requests of one traffic ready. [Magazine.Run] fills
// it, one goroutine at a time takes from it with [Magazine.Next]; the other
// methods may be called by anybody.
type Magazine struct {
	recipe *recipe
	memory int64
	ring   []atomic.Pointer[Shot] // shot of seq at seq modulo its length
	spare  chan *Shot             // to be built anew
	full   chan struct{}          // closed when the ring was full for the first time

	next  atomic.Uint64 // what Next will be asked for
	bytes atomic.Int64  // of bodies in the ring
	rouse atomic.Uint64 // when next reaches it, the producer wants to be woken
	wake  chan struct{}
	own   *builder // of Next

	ready, empty atomic.Uint64
}

// New returns a magazine that is empty still. Errors say what is wrong with the
// traffic, and what to write instead.
func New(c Config) (*Magazine, error) {
	if c.Ring <= 0 {
		c.Ring = defaultRing
	}
	if c.Memory <= 0 {
		c.Memory = defaultMemory
	}
	r, err := newRecipe(c)
	if err != nil {
		return nil, fmt.Errorf("traffic %q: %w", c.Traffic.Name, err)
	}
	return &Magazine{
		recipe: r, memory: c.Memory, ring: make([]atomic.Pointer[Shot], c.Ring), spare: make(chan *Shot, c.Ring),
		full: make(chan struct{}), wake: make(chan struct{}, 1), own: newBuilder(r),
	}, nil
}

// Choose returns what request seq is, without building it.
func (m *Magazine) Choose(seq uint64) Choice { return m.recipe.mix.Choose(seq) }

// Full is closed when the ring has been filled for the first time.
func (m *Magazine) Full() <-chan struct{} { return m.full }

// Counts returns how many requests were ready when they were due, and how many
// had to be built then.
func (m *Magazine) Counts() (ready, empty uint64) { return m.ready.Load(), m.empty.Load() }

// Next returns request seq, which must be greater than that of the call before;
// what lies between is passed over. It does not wait: if the request is not
// ready it is built now, counted, and Next returns false.
func (m *Magazine) Next(seq uint64) (*Shot, bool) {
	m.next.Store(seq + 1)
	s := m.take(seq)
	if seq+1 >= m.rouse.Load() {
		select {
		case m.wake <- struct{}{}:
		default: // it is awake
		}
	}
	if s != nil {
		m.ready.Add(1)
		return s, true
	}
	m.empty.Add(1)
	s = m.blank()
	m.own.build(s, seq)
	return s, false
}

// Return gives a shot back, when neither it nor its parts are used any more.
func (m *Magazine) Return(s *Shot) {
	if cap(s.buffer) > keptBuffer {
		s.buffer = nil
	}
	select {
	case m.spare <- s:
	default:
	}
}

func (m *Magazine) blank() *Shot {
	select {
	case s := <-m.spare:
		return s
	default:
		return &Shot{}
	}
}

// take takes shot seq out of the ring, if it is there. What is there instead
// has been passed over.
func (m *Magazine) take(seq uint64) *Shot {
	s := m.ring[seq%uint64(len(m.ring))].Swap(nil)
	if s == nil {
		return nil
	}
	m.bytes.Add(-s.weight())
	if s.Seq != seq {
		m.Return(s)
		return nil
	}
	return s
}

// weight is what a shot adds to the memory of the ring.
func (s *Shot) weight() int64 { return int64(len(s.buffer)) }
