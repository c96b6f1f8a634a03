package replay

import (
	"bufio"
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

const (
	longestLine = 512 << 20
	mostBytes   = 1 << 30 // of bodies at once
)

// Selection says which deliveries of a recording are read. The zero value is all.
type Selection struct {
	Hooks []string      // nil: of all
	From  time.Duration // since the first delivery of the recording
	Since time.Time     // instead of From
	For   time.Duration // from there on; 0: to the end
}

// Recording is what was read.
type Recording struct {
	Deliveries []Delivery // in the order of time
	Begins     time.Time  // when the first delivery of all files came in
	Torn       int        // last lines that have no end
	Left       int        // deliveries that were not selected
}

// Read reads files, and the *.jsonl of directories.
func Read(paths []string, s Selection) (*Recording, error) {
	files, err := list(paths)
	if err != nil {
		return nil, err
	}
	r := &Recording{}
	bases := make([]time.Time, len(files)) // of at_ns
	for i, name := range files {
		err := eachIn(name, r, func(d Delivery) error {
			bases[i] = d.time.Add(-d.At)
			if r.Begins.IsZero() || d.time.Before(r.Begins) {
				r.Begins = d.time
			}
			return errEnough
		})
		if err != nil {
			return nil, err
		}
	}
	if r.Begins.IsZero() {
		return nil, errors.New("nothing is recorded in it")
	}
	r.Torn = 0 // those of this look are seen again
	size := int64(0)
	for i, name := range files {
		err := eachIn(name, r, func(d Delivery) error {
			d.At = max(0, bases[i].Add(d.At).Sub(r.Begins)) // workers do not write quite in order
			if !s.wants(&d, r.Begins) {
				r.Left++
				return nil
			}
			if size += int64(len(d.Body)); size > mostBytes {
				return errors.New("the bodies are larger than 1 GiB together; select fewer, by --hook, --from and --for")
			}
			r.Deliveries = append(r.Deliveries, d)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(r.Deliveries, func(a, b Delivery) int { return cmp.Compare(a.At, b.At) })
	return r, nil
}

func (s *Selection) wants(d *Delivery, begins time.Time) bool {
	from := s.From
	if !s.Since.IsZero() {
		from = s.Since.Sub(begins)
	}
	return d.At >= from && (s.For == 0 || d.At < from+s.For) && (s.Hooks == nil || slices.Contains(s.Hooks, d.Hook))
}

// list returns the files that paths mean.
func list(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("open the recording: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("open the recording: %w", err)
		}
		before := len(files)
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), ".jsonl") {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s holds no recording: there is no *.jsonl in it", path)
		}
	}
	return files, nil
}

// errEnough ends the reading of a file.
var errEnough = errors.New("enough")

// eachIn gives f the deliveries of a file.
func eachIn(name string, r *Recording, f func(Delivery) error) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open the recording: %w", err)
	}
	defer file.Close()
	torn, err := Each(file, f)
	if torn {
		r.Torn++
	}
	var at *LineError
	switch {
	case errors.Is(err, errEnough):
		return nil
	case errors.As(err, &at):
		return fmt.Errorf("%s:%d: %w", name, at.Line, at.Err)
	case err != nil:
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// LineError is what is wrong with one line.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Each gives f every delivery of a file, with times as they stand in it, until
// f returns an error. It is torn if its last line has no end and is no delivery.
func Each(from io.Reader, f func(Delivery) error) (torn bool, err error) {
	in := bufio.NewReaderSize(from, 1<<20)
	for n := 1; ; n++ {
		text, ended, err := readLine(in)
		if err != nil {
			return false, &LineError{n, err}
		}
		if len(bytes.TrimSpace(text)) > 0 {
			d, err := decode(text)
			switch {
			case err != nil && ended:
				return true, nil
			case err != nil:
				return false, &LineError{n, err}
			}
			if err := f(d); err != nil {
				return false, &LineError{n, err}
			}
		}
		if ended {
			return false, nil
		}
	}
}

// readLine returns the next line. ended says that no end of a line is behind it.
func readLine(in *bufio.Reader) (text []byte, ended bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text, false, nil
		case errors.Is(err, io.EOF):
			return text, true, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		case len(text) > longestLine:
			return nil, false, errors.New("longer than 512 MiB")
		}
	}
}
