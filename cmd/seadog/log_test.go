package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// stuck is a terminal that was stopped until it is let go.
type stuck struct {
	let chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.let
	return s.Buffer.Write(b)
}

func TestALogThatNobodyReadsBlocksNobody(t *testing.T) {
	t.Parallel()
	terminal := &stuck{let: make(chan struct{})}
	c := newConsole(terminal)
	for range 3 * logAhead { // would block for ever otherwise
		if _, err := io.WriteString(c, "line\n"); err != nil {
			t.Fatal(err)
		}
	}
	close(terminal.let)
	c.close()
	lines := strings.Count(terminal.String(), "line\n")
	if lines < logAhead || !strings.Contains(terminal.String(), "nobody read the log") {
		t.Errorf("%d lines were kept, want at least %d and a word about the rest:\n%.200s", lines, logAhead, terminal.String())
	}
}
