package probe

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/seadog/seadog/loadtest"
)

// defaultMaxBody is read of answers of which nothing is said.
const defaultMaxBody = 1 << 20

// answer is what came back.
type answer struct {
	status int
	bytes  int64 // of the body, as far as it was read
	long   bool  // there was more than Expect.MaxBody
	found  bool  // Expect.Contains
}

// examine says whether a is what was expected.
func examine(e *loadtest.Expect, a *answer) (loadtest.Outcome, string) {
	switch {
	case len(e.Status) > 0 && !slices.Contains(e.Status, a.status):
		return loadtest.Unexpected, statusClass(a.status)
	case a.long:
		return loadtest.Unexpected, classTooLong
	case e.Contains != "" && !a.found:
		return loadtest.Unexpected, classWithout
	}
	return loadtest.OK, ""
}

func maxBody(e *loadtest.Expect) int64 {
	if e.MaxBody > 0 {
		return e.MaxBody
	}
	return defaultMaxBody
}

// chunks are what bodies are read into: requests hold one only while they read.
type chunks struct{ sync.Pool }

func newChunks() *chunks {
	return &chunks{sync.Pool{New: func() any { b := make([]byte, 8<<10); return &b }}}
}

// read reads a body to its end, or to the most that is read, and looks for the
// text that is expected. It keeps a chunk of it, and never all.
func (c *chunks) read(body io.Reader, e *loadtest.Expect, a *answer) error {
	pooled := c.Get().(*[]byte)
	defer c.Put(pooled)
	chunk, most := *pooled, maxBody(e)
	if len(e.Contains) > len(chunk)/2 {
		chunk = make([]byte, 2*len(e.Contains))
	}
	kept := 0 // bytes at the begin of chunk that may be the begin of the text
	for {
		n, err := body.Read(chunk[kept:])
		a.bytes += int64(n)
		if e.Contains != "" && !a.found {
			seen := chunk[:kept+n]
			a.found = bytes.Contains(seen, []byte(e.Contains))
			kept = min(len(seen), len(e.Contains)-1)
			copy(chunk, seen[len(seen)-kept:])
		}
		switch {
		case a.bytes > most:
			a.long = true
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
