package stackdump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// DefaultBudget is enough for the 64 MB that the runtime's own profile stops at.
const DefaultBudget = 128 << 20

const (
	mostProblems = 50
	mostFrames   = 512 // the runtime prints 100 of a goroutine
)

// Parse reads a dump of any form. It keeps at most about budget bytes
// ([DefaultBudget] if 0): goroutines beyond that are only counted. The error
// is that of r, and what was understood before it is returned as well; text
// that is no dump is no error, but has no goroutines.
func Parse(r io.Reader, budget int) (*Dump, error) {
	if budget <= 0 {
		budget = DefaultBudget
	}
	p := &parser{in: newLines(r), dump: &Dump{}, words: map[string]string{}, budget: budget}
	for {
		line, err := p.in.next()
		if err != nil {
			p.finish()
			if !errors.Is(err, io.EOF) {
				return p.dump, fmt.Errorf("read dump: %w", err)
			}
			return p.dump, nil
		}
		p.line(line)
	}
}

// parser is where in a dump we are.
type parser struct {
	in     *lines
	dump   *Dump
	words  map[string]string // every name once: most frames are the same few
	used   int               // bytes kept
	budget int

	open    bool      // current is a goroutine
	current Goroutine // its Frames share the array of frames until it is finished
	frames  []Frame
	pending bool // the last frame, or the creator, waits for its position
	created bool // "created by" was seen: its position is the last thing of a goroutine
	closed  bool // nothing more belongs to current
}

// line takes the next line. What cannot be part of a goroutine is passed over
// without a word: logs, registers, blank lines.
func (p *parser) line(line []byte) {
	if len(line) == 0 {
		return
	}
	switch line[0] {
	case '\t':
		if p.open && !p.closed {
			p.tabbed(line[1:])
		}
		return
	case '#':
		if p.open && !p.closed {
			p.profileLine(line)
		}
		return
	case 'g':
		if bytes.HasPrefix(line, []byte("goroutine ")) && p.begin(line) {
			return
		}
	}
	if line[0] >= '0' && line[0] <= '9' && p.beginCount(line) {
		return
	}
	if line[len(line)-1] == ':' && p.boundary(line) {
		return
	}
	if !p.open {
		p.reason(line)
		return
	}
	if !p.closed {
		p.untabbed(line)
	}
}

// begin starts the goroutine that line is the header of.
func (p *parser) begin(line []byte) bool {
	g, problem, ok := p.header(line)
	if !ok {
		return false
	}
	p.start(g)
	if p.in.cut {
		problem = "the header is too long"
	}
	if problem != "" {
		p.problem(problem)
	}
	return true
}

// beginCount starts an entry of a profile with debug=1: "3 @ 0x43e0d6 0x44f2a5".
func (p *parser) beginCount(line []byte) bool {
	n, digits := decimal(line)
	if digits == 0 || !bytes.HasPrefix(line[digits:], []byte(" @")) {
		return false
	}
	if rest := line[digits+2:]; len(rest) > 0 && !bytes.HasPrefix(rest, []byte(" 0x")) {
		return false
	}
	p.start(Goroutine{Count: int(min(n, 1<<31))})
	return true
}

// boundary looks for a header behind the unfinished line of a log, and for
// what ends a goroutine although no other begins.
func (p *parser) boundary(line []byte) bool {
	switch {
	case bytes.HasPrefix(line, []byte("[originating from goroutine ")), bytes.Equal(line, []byte("runtime stack:")):
		p.closed = true
		return true
	case !bytes.HasSuffix(line, []byte("]:")):
		return false
	}
	i := bytes.LastIndex(line, []byte("goroutine "))
	return i > 0 && p.begin(line[i:])
}

func (p *parser) start(g Goroutine) {
	p.finish()
	p.open, p.current = true, g
	p.frames = p.frames[:0]
}

// tabbed takes the position of the frame, or of the creator, before it.
func (p *parser) tabbed(line []byte) {
	g := &p.current
	if bytes.HasPrefix(line, []byte("goroutine running on other thread")) {
		g.Unavailable = true
		return
	}
	if !p.pending {
		return // a log, or the position of a call that was not recognised
	}
	f := &g.Creator
	if !p.created {
		f = &p.frames[len(p.frames)-1]
	}
	if !p.position(f, line) {
		return // of a log: the real one may follow
	}
	p.pending, p.closed = false, p.created
}

// untabbed takes the line of a call.
func (p *parser) untabbed(line []byte) {
	switch {
	case bytes.HasPrefix(line, []byte("created by ")):
		p.settle()
		p.creator(&p.current, line)
		p.created, p.pending = true, true
	case bytes.HasPrefix(line, []byte("...")) && bytes.HasSuffix(line, []byte("elided...")):
		p.current.Elided = true
	default:
		if p.created {
			return
		}
		if f, ok := p.call(line); ok {
			p.settle()
			p.pending = p.push(f)
		}
	}
}

// profileLine takes a line of an entry of a profile with debug=1.
func (p *parser) profileLine(line []byte) {
	if labels, ok := bytes.CutPrefix(line, []byte("# labels: {")); ok {
		var fine bool
		if p.current.Labels, fine = p.labels(labels); !fine {
			p.problem("broken labels")
		}
		return
	}
	if !bytes.HasPrefix(line, []byte("#\t0x")) || p.current.ID != 0 {
		return
	}
	if f, ok := p.profileFrame(line); ok {
		p.push(f)
	} else {
		p.problem("broken frame")
	}
}

func (p *parser) push(f Frame) bool {
	if len(p.frames) == mostFrames {
		p.current.Elided = true
		return false
	}
	p.frames = append(p.frames, f)
	return true
}

// settle notes that the last call has no position.
func (p *parser) settle() {
	if p.pending {
		p.problem("a call without its position")
		p.pending = false
	}
}

// finish keeps the current goroutine.
func (p *parser) finish() {
	if !p.open {
		return
	}
	p.settle()
	if len(p.frames) == 0 && !p.current.Unavailable && p.current.State != "idle" && p.current.ID != 0 {
		p.problem("a goroutine without a stack")
	}
	p.open, p.created, p.closed = false, false, false
	cost := int(unsafe.Sizeof(Goroutine{})) + len(p.frames)*int(unsafe.Sizeof(Frame{})) + len(p.current.Labels)*64
	if p.used+cost > p.budget {
		p.dump.Dropped += p.current.Count
		return
	}
	p.used += cost
	p.current.Frames = append([]Frame(nil), p.frames...)
	p.dump.Goroutines = append(p.dump.Goroutines, p.current)
}

// intern returns text as a string, the same one for the same text. Once the
// budget is spent nothing new is kept.
func (p *parser) intern(text []byte) string {
	if s, ok := p.words[string(text)]; ok {
		return s
	}
	const entry = 64 // what a map needs for two strings, roughly
	if p.used+len(text)+entry > p.budget {
		p.used = p.budget
		return ""
	}
	p.used += len(text) + entry
	s := string(text)
	p.words[s] = s
	return s
}

func (p *parser) reason(line []byte) {
	if p.dump.Reason != "" {
		return
	}
	for _, start := range []string{"SIGQUIT: ", "panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGILL: ", "SIGFPE: ", "WARNING: DATA RACE"} {
		if bytes.HasPrefix(line, []byte(start)) {
			p.dump.Reason = string(line[:min(len(line), 500)])
			return
		}
	}
}

func (p *parser) problem(what string) {
	if len(p.dump.Problems) == mostProblems {
		p.dump.MoreProblems++
		return
	}
	p.dump.Problems = append(p.dump.Problems, Problem{Line: p.in.n, Goroutine: p.current.ID, What: what})
}
