package process

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tailLines = 20
	tailWidth = 1 << 10 // bytes kept of a line in the tail
)

// output splits what a command prints into lines, remembers the last ones, and
// knows when it was heard last. Its memory does not depend on what is printed.
type output struct {
	line  func(Stream, []byte)
	start time.Time

	last    atomic.Int64  // time of the last byte, since start
	stalled atomic.Bool   // somebody waits to hear of the next byte
	heard   chan struct{} // … here; one place, never waited for

	mu     sync.Mutex // guards the rest, and serializes line
	tail   [tailLines][]byte
	lines  int
	errors []byte // last line of stderr that is not blank
}

func newOutput(line func(Stream, []byte)) *output {
	return &output{line: line, start: time.Now(), heard: make(chan struct{}, 1)}
}

// touch notes that the command lives.
func (o *output) touch() {
	o.last.Store(int64(time.Since(o.start)))
	if o.stalled.Load() {
		select {
		case o.heard <- struct{}{}:
		default:
		}
	}
}

// silentSince is when the last byte was heard; the start if none was.
func (o *output) silentSince() time.Time { return o.start.Add(time.Duration(o.last.Load())) }

// read hands on the lines of r until its end, or until its deadline has passed.
func (o *output) read(s Stream, r io.Reader) {
	buf := make([]byte, PieceSize)
	n := 0 // bytes of an unfinished line at the start of buf
	for {
		m, err := r.Read(buf[n:])
		if m > 0 {
			o.touch()
			n = o.split(s, buf[:n+m], n)
		}
		if err != nil {
			break
		}
	}
	if n > 0 {
		o.emit(s, buf[:n])
	}
}

// split emits the complete lines in b, of which the first known bytes contain
// no line end, moves the rest to the front and returns its length. A rest that fills
// the buffer is emitted as a piece.
func (o *output) split(s Stream, b []byte, known int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	begin := 0
	for {
		i := bytes.IndexByte(b[max(known, begin):], '\n')
		if i < 0 {
			break
		}
		end := max(known, begin) + i
		o.emitLocked(s, bytes.TrimSuffix(b[begin:end], []byte{'\r'}))
		begin = end + 1
	}
	if begin == 0 && len(b) == PieceSize {
		o.emitLocked(s, b)
		return 0
	}
	return copy(b, b[begin:])
}

func (o *output) emit(s Stream, line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.emitLocked(s, line)
}

func (o *output) emitLocked(s Stream, line []byte) {
	short := line[:min(len(line), tailWidth)]
	slot := &o.tail[o.lines%tailLines]
	*slot = append((*slot)[:0], short...)
	o.lines++
	if s == Stderr && len(bytes.TrimSpace(short)) > 0 {
		o.errors = append(o.errors[:0], short...)
	}
	if o.line != nil {
		o.line(s, line)
	}
}

// lastLines returns the tail, and the last line of stderr.
func (o *output) lastLines() (tail []string, stderr string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := max(0, o.lines-tailLines); i < o.lines; i++ {
		tail = append(tail, lastText(o.tail[i%tailLines]))
	}
	return tail, lastText(o.errors)
}

// lastText is what a terminal would show last of a line: what follows the last
// carriage return that has something after it. It is valid UTF-8.
func lastText(line []byte) string {
	line = bytes.TrimSpace(line)
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	return string(bytes.ToValidUTF8(line, []byte("\uFFFD")))
}
