package master

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

const (
	// stderrLimit is how much of what a worker wrote is kept.
	stderrLimit = 64 << 20
	// wordsLimit is how much of it becomes a worker's last words, in bytes.
	wordsLimit = 4 << 10
	// diskLimit is how long a file may take to be opened, if a worker waits for it.
	diskLimit = time.Second
)

const stderrSuffix = ".stderr"

// stderrPath names the file of one incarnation.
func (c Config) stderrPath(pool string, incarnation uint64) string {
	if c.Stderr == "" {
		return ""
	}
	return filepath.Join(c.Stderr, fmt.Sprintf("%s-%d%s", pool, incarnation, stderrSuffix))
}

// clearStderr removes what a master before this one could not.
func (c Config) clearStderr() error {
	if c.Stderr == "" {
		return nil
	}
	if err := os.MkdirAll(c.Stderr, 0o700); err != nil {
		return err
	}
	kept := map[string]bool{}
	if c.Sockets != nil {
		for _, s := range c.Sockets.Survivors() {
			kept[s.Stderr] = true
		}
	}
	for _, p := range c.Pools {
		left, err := filepath.Glob(filepath.Join(c.Stderr, p.Name+"-*"+stderrSuffix))
		if err != nil {
			return err
		}
		for _, path := range left {
			if kept[path] {
				continue
			}
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// openStderr makes a file for a worker's descriptor 2. A disk that does not
// answer must not keep workers from being started: then there is none.
func openStderr(path string) *os.File {
	if path == "" {
		return nil
	}
	f, _ := within(diskLimit, func() *os.File {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil
		}
		return f
	})
	return f
}

// stderrWords are the last words of a worker that has ended, "" if it wrote nothing.
func stderrWords(path string) string {
	if path == "" {
		return ""
	}
	words, _ := within(lastWords, func() string {
		f, err := os.Open(path)
		if err != nil {
			return ""
		}
		defer f.Close()
		return lastLines(f)
	})
	return words
}

// lastLines returns what a program said about its end: the line of a panic or a
// fatal error if there is one at the beginning, else the end of what it wrote.
func lastLines(f io.ReadSeeker) string {
	head := make([]byte, wordsLimit)
	n, _ := io.ReadFull(f, head)
	for line := range bytes.Lines(head[:n]) {
		if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
			return scrub(line)
		}
	}
	if _, err := f.Seek(-wordsLimit, io.SeekEnd); err != nil {
		return scrub(head[:n]) // it is no longer than that
	}
	tail, _ := io.ReadAll(io.LimitReader(f, wordsLimit))
	return scrub(tail)
}

// scrub makes one line of text that a terminal can be shown.
func scrub(text []byte) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == unicode.ReplacementChar:
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(text))
	return strings.Join(strings.Fields(clean), " ")
}

// within returns what f returns, or false if that takes too long: then f goes
// on alone, and what it returns is lost.
func within[T any](limit time.Duration, f func() T) (T, bool) {
	done := make(chan T, 1)
	go func() { done <- f() }() // ends with f
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case v := <-done:
		return v, true
	case <-t.C:
		var none T
		return none, false
	}
}
