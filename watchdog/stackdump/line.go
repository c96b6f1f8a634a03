package stackdump

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// longest is how much of one line is looked at; the rest of it is skipped.
const longest = 256 << 10

// lines yields lines of any length in bounded memory.
type lines struct {
	r    *bufio.Reader
	long []byte // a line that did not fit the reader's buffer
	n    int    // number of the line that next returned last, from 1
	cut  bool   // that line was longer than what next returned
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns a line without its end, valid until the next call. At the end
// of input the error is io.EOF.
func (l *lines) next() ([]byte, error) {
	l.cut = false
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.rest(line)
	}
	if len(line) == 0 && err != nil {
		return nil, err
	}
	l.n++
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil // an error comes again with the next call
}

func (l *lines) rest(start []byte) ([]byte, error) {
	l.long = append(l.long[:0], start...)
	for {
		more, err := l.r.ReadSlice('\n')
		keep := min(len(more), longest-len(l.long))
		l.cut = l.cut || keep < len(more)
		l.long = append(l.long, more[:keep]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}
