package transcript

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

const (
	// DefaultLimit is the limit of a step's file in bytes where none is given.
	DefaultLimit = 32 << 20

	flushEvery = 100 * time.Millisecond
	flushSize  = 64 << 10
	tailSize   = 64 << 10  // kept of what exceeds the limit
	lineSize   = 256 << 10 // a record's text is cut there; a piece of output rarely grows so far
)

// Writer appends the output of one step. Its methods may be called concurrently.
//
// What is written is seen by readers within 100 ms. Nothing is synced: a
// transcript may lose its last moments with the machine, never with the process alone.
type Writer struct {
	redactor *Redactor
	limit    int64

	mu      sync.Mutex
	file    *os.File
	buf     []byte // complete records that are not in the file yet
	size    int64  // of file and buf
	flush   *time.Timer
	armed   bool
	err     error                     // the first one of the disk; nothing is written after it
	carry   map[process.Stream][]byte // end of a piece, in which a secret may begin
	scratch []byte

	tail    []byte // records beyond the limit; the newest tailSize bytes count
	dropped int    // lines that are not in the file, those in tail included
}

// Create opens the transcript of a step for writing. A file of at most limit bytes
// results ([DefaultLimit] if limit is not positive); of what exceeds it the
// number of lines and the last 64 KiB are added by Close. If the step has a transcript, it is continued.
func (b Book) Create(deployment int64, step deployer.Step, limit int64, r *Redactor) (*Writer, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	if r == nil {
		r = NewRedactor()
	}
	if err := os.MkdirAll(b.directory(deployment), 0o750); err != nil {
		return nil, fmt.Errorf("create transcript: %w", err)
	}
	f, err := os.OpenFile(b.file(deployment, step), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, fmt.Errorf("create transcript: %w", err)
	}
	w := &Writer{redactor: r, limit: limit, file: f, carry: map[process.Stream][]byte{}}
	if err := w.resume(); err != nil {
		f.Close()
		return nil, fmt.Errorf("continue transcript: %w", err)
	}
	w.flush = time.AfterFunc(time.Hour, w.flushNow)
	w.flush.Stop()
	return w, nil
}

// resume ends the line that a killed writer may have left unfinished.
func (w *Writer) resume() error {
	info, err := w.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	w.size = info.Size()
	last := make([]byte, 1)
	if _, err := w.file.ReadAt(last, w.size-1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if last[0] != '\n' {
		w.buf = append(w.buf, '\n')
		w.size++
	}
	return nil
}

// Line appends a line as a command printed it: cleaned of control characters,
// redacted, with the present time. It waits for nothing but the disk; an error of the disk
// is kept for Close. A line of exactly [process.PieceSize] bytes is taken for
// a piece of a longer one, and its end is held back until the next line of the same stream, so that
// a secret on the border is found.
func (w *Writer) Line(s process.Stream, line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return
	}
	held := w.carry[s]
	w.scratch = clean(append(w.scratch[:0], held...), line)
	text := w.scratch
	if len(line) == process.PieceSize {
		at := w.redactor.cut(text)
		w.carry[s] = append(held[:0], text[at:]...)
		text = text[:at]
	} else if len(held) > 0 {
		w.carry[s] = held[:0]
	}
	w.append(s, w.redactor.Redact(text))
}

// append adds one record to the buffer, or to the tail beyond the limit.
func (w *Writer) append(s process.Stream, text []byte) {
	if len(text) > lineSize {
		text = text[:lineSize]
	}
	if w.dropped > 0 || w.size+int64(len(text))+recordOverhead > w.limit {
		w.tail = appendRecord(w.tail, s, text)
		w.dropped++
		if len(w.tail) > 2*lineSize {
			w.tail = append(w.tail[:0], lastRecords(w.tail)...)
		}
		return
	}
	before := len(w.buf)
	w.buf = appendRecord(w.buf, s, text)
	w.size += int64(len(w.buf) - before)
	if len(w.buf) >= flushSize {
		w.writeOut()
	} else if !w.armed {
		w.armed = true
		w.flush.Reset(flushEvery)
	}
}

func (w *Writer) flushNow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	w.writeOut()
}

func (w *Writer) writeOut() {
	if w.file == nil || len(w.buf) == 0 {
		return
	}
	if w.err == nil {
		_, w.err = w.file.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// Close writes what is left, and returns the first error there was. Lines that
// come later are ignored. It may be called again.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	w.flush.Stop()
	for _, s := range []process.Stream{process.Stdout, process.Stderr} {
		if rest := w.carry[s]; len(rest) > 0 {
			w.append(s, w.redactor.Redact(rest))
		}
	}
	if w.dropped > 0 {
		tail := lastRecords(w.tail)
		lost := w.dropped - countLines(tail)
		note := "… " + strconv.Itoa(lost) + " lines not kept: the log of this step reached its limit of " + strconv.FormatInt(w.limit, 10) + " bytes …"
		w.buf = append(appendRecord(w.buf, process.Stderr, []byte(note)), tail...)
	}
	w.writeOut()
	err := errors.Join(w.err, w.file.Close())
	w.file = nil
	if err != nil {
		return fmt.Errorf("write transcript: %w", err)
	}
	return nil
}
