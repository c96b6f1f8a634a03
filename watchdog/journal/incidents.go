package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// IncidentsConfig says where incidents are kept and how much room they have.
type IncidentsConfig struct {
	Dir      string // made if it is not there
	MaxCount int    // incidents; 200 if 0
	MaxBytes int64  // of all records and dumps; 256 MiB if 0
}

const (
	defaultMaxIncidents     = 200
	defaultMaxIncidentBytes = 256 << 20

	maxDump   = 64 << 20 // what is behind it is cut
	maxRecord = 4 << 20  // one that is larger loses the ends of its lists

	// abandonedAfter is the age at which a file that nobody finished is removed.
	abandonedAfter = time.Hour
)

// Validate reports what is wrong with c.
func (c IncidentsConfig) Validate() error {
	if c.Dir == "" {
		return errors.New("incidents need a directory")
	}
	if c.MaxCount < 0 || c.MaxBytes < 0 || c.MaxBytes != 0 && c.MaxBytes < minBytes {
		return fmt.Errorf("incidents must have room for 1 record and %d bytes", minBytes)
	}
	return nil
}

// Incidents writes incidents to a directory. Its methods may be called by
// several goroutines, and several processes may have the same directory.
type Incidents struct {
	config IncidentsConfig
}

// NewIncidents returns a writer and makes its directory.
func NewIncidents(c IncidentsConfig) (*Incidents, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxCount == 0 {
		c.MaxCount = defaultMaxIncidents
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxIncidentBytes
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of incidents: %w", err)
	}
	return &Incidents{config: c}, nil
}

// Write returns when the incident is on disk, with its dump unless that is
// empty. If there is one with the same id already, it is completed: [Merge];
// a dump replaces an earlier one. When the disk is full, old incidents make
// room. A dump that finds none is given up, but not its record: that is
// written, says so, and an error is returned.
func (s *Incidents) Write(i watchdog.Incident, dump []byte) error {
	if !validID(i.ID) {
		return fmt.Errorf("write incident: %q is no id", i.ID)
	}
	var lost error
	if len(dump) > 0 {
		dump = cutDump(dump, int(min(maxDump, s.config.MaxBytes/2)))
		lost = s.makingRoom(i.ID, func() error { return s.writeDump(i.ID, dump) })
		if lost == nil {
			i.Evidence.Dump = i.ID + dumpSuffix
		} else {
			after := time.Since(i.Time).Milliseconds()
			i.Timeline = append(i.Timeline[:len(i.Timeline):len(i.Timeline)], watchdog.Moment{AfterMS: after, What: "the dump could not be written: " + lost.Error()})
		}
	}
	err := s.makingRoom(i.ID, func() error { return s.writeRecord(i) })
	if err == nil {
		err = errors.Join(syncDir(s.recordPath(i.ID)), s.prune(i.ID, s.config.MaxCount, s.config.MaxBytes))
	}
	if err := errors.Join(lost, err); err != nil {
		return fmt.Errorf("write incident %s: %w", i.ID, err)
	}
	return nil
}

func (s *Incidents) recordPath(id string) string {
	return filepath.Join(s.config.Dir, id+recordSuffix)
}

// makingRoom calls write, and once more if the disk was full and half of what
// is kept could be removed. The incident id stays.
func (s *Incidents) makingRoom(id string, write func() error) error {
	err := write()
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	kept, bytes := s.kept()
	if kept == 0 {
		return err
	}
	if pruned := s.prune(id, kept/2, bytes/2); pruned != nil {
		return errors.Join(err, pruned)
	}
	return write()
}

func (s *Incidents) writeDump(id string, dump []byte) error {
	name := id + dumpSuffix
	temporary, err := s.writeTemporary(name, dump)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(s.config.Dir, name)); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// writeTemporary writes a synced file that is no incident yet.
func (s *Incidents) writeTemporary(name string, content []byte) (string, error) {
	f, err := os.CreateTemp(s.config.Dir, temporaryPrefix+name+".*")
	if err != nil {
		return "", err
	}
	if err = f.Chmod(0o640); err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// cutDump shortens a dump to at most so many bytes, at the end of a line.
func cutDump(dump []byte, most int) []byte {
	if len(dump) <= most {
		return dump
	}
	note := fmt.Appendf(nil, "\n\n...cut: the dump had %d bytes\n", len(dump))
	dump = dump[:max(0, most-len(note))]
	if end := bytes.LastIndexByte(dump, '\n'); end > 0 {
		dump = dump[:end]
	}
	return append(dump[:len(dump):len(dump)], note...)
}

// encodeRecord makes a record small enough to be read again: one that is too
// large loses the second half of each list, as often as it takes.
func encodeRecord(i watchdog.Incident) ([]byte, error) {
	i.Verdict = shorten(i.Verdict)
	for {
		content, err := json.MarshalIndent(i, "", "  ")
		if err != nil || len(content) < maxRecord {
			return append(content, '\n'), err
		}
		e := &i.Evidence
		if len(i.Stuck)+len(i.Lost)+len(i.Timeline)+len(e.Threads)+len(e.Locks)+len(e.Stacks) == 0 {
			return nil, fmt.Errorf("record of %d bytes", len(content))
		}
		i.Stuck, i.Lost, i.Timeline = half(i.Stuck), half(i.Lost), half(i.Timeline)
		e.Threads, e.Locks, e.Stacks = half(e.Threads), half(e.Locks), half(e.Stacks)
	}
}

func half[T any](list []T) []T { return list[:len(list)/2] }
