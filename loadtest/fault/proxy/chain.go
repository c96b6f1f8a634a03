package proxy

import (
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// chain is the toxics of a link, behind an entrance.
type chain []*stage

// stage is one toxic at work.
type stage struct {
	spell *spell // nil: the entrance
	stub  *toxics.ToxicStub
	over  chan struct{} // its toxic has returned
}

// build starts a chain between in and out.
func (l *link) build(spells []*spell) chain {
	list := []toxin{{toxic: &entrance{link: l}}}
	kept := map[*spell]toxin{}
	reset := false
	for _, s := range spells {
		t, known := l.toxins[s]
		if !known {
			t = s.toxin(l)
		}
		kept[s] = t
		list = append(list, t)
		_, resets := t.toxic.(*toxics.ResetToxic)
		reset = reset || resets
	}
	l.toxins = kept
	l.arm(reset)
	c := make(chain, len(list))
	input := l.in
	for i, t := range list {
		output := l.out
		if i+1 < len(list) {
			output = make(chan *stream.StreamChunk, list[i+1].buffer())
		}
		s := &stage{stub: toxics.NewToxicStub(input, output), over: make(chan struct{})}
		s.stub.State = t.state
		if i > 0 {
			s.spell = spells[i-1]
		}
		c[i] = s
		l.pair.gone.Go(func() { l.work(s, t) })
		input = output
	}
	return c
}

// arm makes closing the connection a reset, or not.
func (l *link) arm(reset bool) {
	switch {
	case reset && !l.reset:
		l.pair.linger(0)
	case !reset && l.reset:
		l.pair.linger(-1)
	}
	l.reset = reset
}

// work runs a toxic until it is interrupted or has closed its output. In the
// latter case what comes in is thrown away, so that nobody waits to hand it over.
func (l *link) work(s *stage, t toxin) {
	s.stub.Run(&toxics.ToxicWrapper{Toxic: t.toxic, Toxicity: 1})
	closed := s.stub.Closed()
	if closed && s.spell != nil && !exhausted(s.stub.Input) {
		s.spell.count("cut")
	}
	close(s.over)
	if !closed {
		return
	}
	for range s.stub.Input {
	}
}

// exhausted reports whether no more comes.
func exhausted(input <-chan *stream.StreamChunk) bool {
	select {
	case _, more := <-input:
		return !more
	default:
		return false
	}
}

// ended is closed when the chain has ended by itself: nothing that comes in
// will ever go out.
func (c chain) ended() <-chan struct{} { return c[len(c)-1].over }

// settle waits until all that have closed know why.
func (c chain) settle() {
	for _, s := range c {
		if s.stub.Closed() {
			<-s.over
		}
	}
}

// halt stops all toxics and lets out what they held back. It waits as long as
// the link's reader takes nothing. It reports whether the chain had begun to
// end: then it has ended, and out is closed.
//
// Subtle: a stage that has closed is not interrupted, but there may be stages
// behind it that still hold something, or that wait (slow_close), and stages before
// it that nobody would tell that all is over.
func (c chain) halt(out chan<- *stream.StreamChunk) (over bool) {
	last := -1 // the last stage that has closed
	for i, s := range c {
		if !s.stub.InterruptToxic() {
			<-s.over // it knows why it has closed
			last = i
		}
	}
	for i := len(c) - 1; i > max(last, 0); i-- {
		flush(c[i].stub.Input, out)
	}
	if last < 0 {
		return false
	}
	for i, s := range c {
		if i == last || s.stub.Closed() {
			continue
		}
		s.stub.Close()
	}
	return true
}

// flush hands over what lies in a buffer that nobody fills any more.
func flush(buffer <-chan *stream.StreamChunk, out chan<- *stream.StreamChunk) {
	for {
		select {
		case c, more := <-buffer:
			if !more {
				return
			}
			out <- c
		default:
			return
		}
	}
}

// swallows reports whether a toxic of the chain throws bytes away without
// ending the connection.
func (c chain) swallows() bool {
	for _, s := range c {
		if s.spell != nil && s.spell.swallows() {
			return true
		}
	}
	return false
}
