package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// kept is what a directory holds of one incident.
type kept struct {
	id     string
	bytes  int64
	record bool
}

// kept counts incidents and all bytes.
func (s *Incidents) kept() (int, int64) {
	all, err := s.scan()
	if err != nil {
		return 0, 0
	}
	return total(all)
}

func total(all []kept) (int, int64) {
	var count int
	var bytes int64
	for _, k := range all {
		bytes += k.bytes
		if k.record {
			count++
		}
	}
	return count, bytes
}

// prune removes incidents until at most count of them, with at most that many
// bytes, are left; never the one that was just written. Two processes that
// prune at once choose the same.
func (s *Incidents) prune(written string, count int, bytes int64) error {
	all, err := s.scan()
	if err != nil {
		return err
	}
	n, size := total(all)
	if n <= count && size <= bytes {
		return nil
	}
	var errs []error
	for _, k := range s.victims(all) {
		if n <= count && size <= bytes {
			break
		}
		if k.id == written {
			continue
		}
		errs = append(errs, s.remove(k.id))
		n, size = n-1, size-k.bytes
	}
	return errors.Join(errs...)
}

// victims returns what may go, in that order: warnings, then killings, the
// oldest first, which their ids tell.
func (s *Incidents) victims(all []kept) []kept {
	var warnings, killings []kept
	for _, k := range all {
		switch {
		case !k.record: // its record is on its way
		case s.severity(k.id) == watchdog.Killing:
			killings = append(killings, k)
		default:
			warnings = append(warnings, k)
		}
	}
	return append(warnings, killings...)
}

// remove takes the record first: a dump without one is found again and goes
// when it is old.
func (s *Incidents) remove(id string) error {
	for _, suffix := range []string{recordSuffix, dumpSuffix} {
		err := os.Remove(filepath.Join(s.config.Dir, id+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// scan looks at the directory, in the order of ids, and removes what was
// begun long ago and never finished.
func (s *Incidents) scan() ([]kept, error) {
	entries, err := os.ReadDir(s.config.Dir)
	if err != nil {
		return nil, err
	}
	byID := map[string]kept{}
	begun := map[string]time.Time{} // dumps, until their record is seen
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // removed by another, or not ours
		}
		suffix := filepath.Ext(e.Name())
		id := strings.TrimSuffix(e.Name(), suffix)
		switch {
		case strings.HasPrefix(e.Name(), temporaryPrefix):
			s.removeAbandoned(e.Name(), info.ModTime())
			continue
		case !validID(id) || suffix != recordSuffix && suffix != dumpSuffix:
			continue
		case suffix == dumpSuffix:
			begun[id] = info.ModTime()
		}
		k := byID[id]
		byID[id] = kept{id: id, bytes: k.bytes + info.Size(), record: k.record || suffix == recordSuffix}
	}
	var all []kept
	for id, k := range byID {
		if !k.record && s.removeAbandoned(id+dumpSuffix, begun[id]) {
			continue
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b kept) int { return strings.Compare(a.id, b.id) })
	return all, nil
}

func (s *Incidents) removeAbandoned(name string, begun time.Time) bool {
	if time.Since(begun) < abandonedAfter {
		return false
	}
	return os.Remove(filepath.Join(s.config.Dir, name)) == nil
}

// severity reads no more of a record than it takes; what is none is a warning.
func (s *Incidents) severity(id string) watchdog.Severity {
	f, err := os.Open(s.recordPath(id))
	if err != nil {
		return watchdog.Warning
	}
	defer f.Close()
	dec := json.NewDecoder(io.LimitReader(f, 4096))
	var texts [7]string // "{", then the three keys and values that come first
	for i := range texts {
		token, err := dec.Token()
		if err != nil {
			return watchdog.Warning
		}
		texts[i] = fmt.Sprint(token)
	}
	if texts[1] != "id" || texts[2] != id || texts[5] != "severity" {
		return watchdog.Warning
	}
	return watchdog.Severity(texts[6])
}
