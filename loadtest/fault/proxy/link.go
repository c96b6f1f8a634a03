package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// chunk is how many bytes are read at once.
const chunk = 32 << 10

// link is one direction of a connection:
//
//	from → reader → in → chain of toxics → out → writer → to
//
// Its keeper builds the chain, and builds it anew when the spells change. in and
// out stay. The writer takes everything out of the chain, whether or not somebody
// wants it, so that nothing in it waits for ever once the connection is cut.
type link struct {
	pair     *pair
	dir      stream.Direction
	from, to net.Conn
	in, out  chan *stream.StreamChunk
	ended    atomic.Bool   // from said that no more comes
	changes  chan struct{} // there is something in want; one is enough
	over     chan struct{} // closed when the chain has ended, and it is known what ended it

	// The keeper's:
	toxins map[*spell]toxin
	reset  bool   // closing will reset
	passed uint64 // chunks that the chain has taken; the entrance counts while it runs

	mu     sync.Mutex
	want   []*spell
	waits  []chan struct{} // closed when want is what is
	closed bool
}

func newLink(p *pair, dir stream.Direction, from, to net.Conn) *link {
	return &link{
		pair: p, dir: dir, from: from, to: to,
		in: make(chan *stream.StreamChunk), out: make(chan *stream.StreamChunk),
		changes: make(chan struct{}, 1), over: make(chan struct{}), toxins: map[*spell]toxin{},
	}
}

func (l *link) begin(spells []*spell) {
	l.want = spells
	l.pair.gone.Go(l.read)
	l.pair.gone.Go(l.keep)
	l.pair.gone.Go(l.write)
}

// change tells the keeper about other spells.
func (l *link) change(spells []*spell) <-chan struct{} {
	done := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		close(done)
		return done
	}
	l.want = spells
	l.waits = append(l.waits, done)
	select {
	case l.changes <- struct{}{}:
	default:
	}
	return done
}

func (l *link) read() {
	defer close(l.in)
	buf := make([]byte, chunk)
	for {
		n, err := l.from.Read(buf)
		if n > 0 {
			select {
			case l.in <- &stream.StreamChunk{Data: bytes.Clone(buf[:n]), Timestamp: time.Now()}:
			case <-l.pair.done:
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				l.ended.Store(true)
			}
			return
		}
	}
}

func (l *link) write() {
	broken := false
	for c := range l.out {
		if broken {
			continue
		}
		if _, err := l.to.Write(c.Data); err != nil {
			broken = true
			l.pair.cut()
		}
	}
	// Cutting ends the chain once more, from the other side.
	<-l.over
	if !l.ended.Load() {
		l.pair.cut() // a toxic ended it, or it broke
		return
	}
	closeWrite(l.to)
}

// keep owns the chain. It returns when the chain has ended.
func (l *link) keep() {
	defer close(l.over)
	defer l.release()
	for {
		spells, done := l.wanted()
		passed := l.passed
		c := l.build(spells)
		for _, d := range done {
			close(d)
		}
		select {
		case <-c.ended():
			c.settle()
			return
		case <-l.changes:
			if c.halt(l.out) {
				return
			}
			if c.swallows() && l.passed != passed {
				// Something is lost, and nothing that comes after it may pass.
				l.pair.cut()
			}
		}
	}
}

// wanted returns the spells that hit this link, and who waits for them.
func (l *link) wanted() ([]*spell, []chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hits := slices.DeleteFunc(slices.Clone(l.want), func(s *spell) bool { return !s.hits(l) })
	done := l.waits
	l.waits = nil
	return hits, done
}

// release lets nobody wait any more.
func (l *link) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, d := range l.waits {
		close(d)
	}
}
