package web

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// signedOut remembers sessions that were ended before their time, in a file
// that all HTTP workers share: a line each, with the session's id and when it
// would have ended by itself (Unix seconds). It is read again when it changed.
type signedOut struct {
	path string
	now  func() time.Time

	mu   sync.Mutex
	seen fileState
	ids  map[string]bool
}

// fileState tells whether a file has changed.
type fileState struct {
	size    int64
	changed time.Time
}

// compactAt is the size from which on lines that say nothing any more are removed.
const compactAt = 64 << 10

// has reports whether a session was ended. If the file cannot be read, what was
// known before counts.
func (s *signedOut) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if err != nil {
		return s.ids[id]
	}
	if now := (fileState{info.Size(), info.ModTime()}); now != s.seen {
		if text, err := os.ReadFile(s.path); err == nil {
			s.ids, s.seen = s.parse(string(text)), now
		}
	}
	return s.ids[id]
}

// parse returns the sessions that have not ended by themselves.
func (s *signedOut) parse(text string) map[string]bool {
	ids := make(map[string]bool)
	for line := range strings.Lines(text) {
		if _, alive := s.alive(line); alive {
			id, _, _ := strings.Cut(line, " ")
			ids[id] = true
		}
	}
	return ids
}

func (s *signedOut) alive(line string) (until int64, alive bool) {
	_, seconds, ok := strings.Cut(strings.TrimSpace(line), " ")
	until, err := strconv.ParseInt(seconds, 10, 64)
	return until, ok && err == nil && until > s.now().Unix()
}

// add ends a session.
func (s *signedOut) add(of session) (err error) {
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The lock is for who compacts; it ends with the descriptor.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	if err := s.compact(f); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	if _, err := fmt.Fprintf(f, "%s %d\n", of.ID, of.Expires.Unix()); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

// compact removes what says nothing any more from a file that has become large.
func (s *signedOut) compact(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() < compactAt {
		return err
	}
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if _, alive := s.alive(line); alive {
			kept.WriteString(line)
		}
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteString(kept.String())
	return err
}
