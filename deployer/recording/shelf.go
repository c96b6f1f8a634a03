package recording

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// room is space in lines and bytes.
type room struct {
	lines int
	bytes int64
}

// parts is how many files a shelf has per writer, about: so much of the oldest goes at once.
const parts = 8

// errTooLarge is a line for which too many others would have to go.
var errTooLarge = errors.New("larger than a quarter of the recording")

// shelf is the files of one kind, of all processes that write into the
// directory; one of them is this process's. It is not safe for concurrent use.
//
// Every writer leaves room for one growing file of each other, so the bounds
// hold without the writers speaking to one another.
type shelf struct {
	dir, kind string
	limit     room
	each      room // of one file
	writers   int

	file  *os.File
	name  string
	holds room             // of file
	lines map[string]count // of files that have been counted
}

// count is how many lines a file had when it had that size.
type count struct {
	size  int64
	lines int
}

func newShelf(dir, kind string, limit room, writers int) *shelf {
	return &shelf{
		dir: dir, kind: kind, limit: limit, writers: writers, lines: map[string]count{},
		each: room{max(1, limit.lines/(parts*writers)), max(1, limit.bytes/int64(parts*writers))},
	}
}

// append writes one line whole, or not at all.
func (s *shelf) append(line []byte) error {
	n := int64(len(line))
	if n > s.limit.bytes/4 {
		return errTooLarge
	}
	if s.file != nil && (s.holds.lines >= s.each.lines || s.holds.bytes+n > s.each.bytes || s.gone()) {
		s.close()
	}
	if s.file == nil {
		if err := s.open(n); err != nil {
			return err
		}
	}
	if wrote, err := s.file.Write(line); err != nil {
		// Half a line in the middle of a file would spoil those behind it.
		if wrote > 0 && s.file.Truncate(s.holds.bytes) != nil {
			s.close()
		}
		return fmt.Errorf("write the recording: %w", err)
	}
	s.holds.lines++
	s.holds.bytes += n
	return nil
}

// gone reports whether somebody removed the file, or moved it away.
func (s *shelf) gone() bool {
	there, err := os.Stat(filepath.Join(s.dir, s.name))
	if err != nil {
		return true
	}
	ours, err := s.file.Stat()
	return err == nil && !os.SameFile(there, ours)
}

// open makes room for a file, and begins it. Its first line has n bytes.
func (s *shelf) open(n int64) error {
	if err := makeDirectory(s.dir); err != nil { // whoever moved the old one away wants a new one
		return err
	}
	if err := s.prune(max(n, s.each.bytes)); err != nil {
		return err
	}
	s.name = fmt.Sprintf("%s-%s-%d.jsonl", s.kind, time.Now().UTC().Format("20060102T150405.000000000Z"), os.Getpid())
	f, err := os.OpenFile(filepath.Join(s.dir, s.name), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("begin a file of the recording: %w", err)
	}
	s.file, s.holds = f, room{}
	return nil
}

func (s *shelf) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close() // nothing is buffered
	s.lines[s.name] = count{s.holds.bytes, s.holds.lines}
	s.file = nil
}

// keptFile is a file of the shelf.
type keptFile struct {
	name    string
	written time.Time
	room
}

// prune removes the oldest files until there is room for one of n bytes, and
// for those that other writers are at.
func (s *shelf) prune(n int64) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	left := room{s.limit.lines - s.writers*s.each.lines, s.limit.bytes - n - int64(s.writers-1)*s.each.bytes}
	for i, f := range slices.Backward(files) { // the newest first
		left.lines -= f.lines
		left.bytes -= f.bytes
		if left.lines >= 0 && left.bytes >= 0 {
			continue
		}
		for _, old := range files[:i+1] {
			if err := os.Remove(filepath.Join(s.dir, old.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove an old file of the recording: %w", err)
			}
			delete(s.lines, old.name)
		}
		return nil
	}
	return nil
}

// files returns those of the shelf, the one that was not written to for longest first.
func (s *shelf) files() ([]keptFile, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the recording: %w", err)
	}
	var files []keptFile
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(e.Name(), s.kind+"-") || !strings.HasSuffix(e.Name(), ".jsonl") {
			continue
		}
		f := keptFile{name: e.Name(), written: info.ModTime(), room: room{bytes: info.Size()}}
		known, ok := s.lines[f.name]
		if !ok || known.size != f.bytes {
			known = count{f.bytes, countLines(filepath.Join(s.dir, f.name))}
			s.lines[f.name] = known
		}
		f.lines = known.lines
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b keptFile) int {
		return cmp.Or(a.written.Compare(b.written), strings.Compare(a.name, b.name))
	})
	return files, nil
}

// countLines counts the lines of a file, as far as it can be read.
func countLines(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	n, buf := 0, make([]byte, 64<<10)
	for {
		m, err := f.Read(buf)
		n += bytes.Count(buf[:m], []byte{'\n'})
		if err != nil {
			if !errors.Is(err, io.EOF) {
				n++
			}
			return n
		}
	}
}
