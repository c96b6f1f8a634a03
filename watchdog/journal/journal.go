package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/seadog/seadog/watchdog"
)

// Config says where the journal is and how large it may become.
type Config struct {
	Path       string
	MaxRecords int   // 1,000 if 0
	MaxBytes   int64 // 1 MiB if 0
}

const (
	defaultMaxRecords = 1000
	defaultMaxBytes   = 1 << 20

	// maxText bounds the two free texts of a record, so that a line always fits
	// the smallest journal.
	maxText  = 1024
	minBytes = 16 << 10

	maxSeq = 1 << 62 // what is above was not counted, but damaged
)

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Path == "" {
		return errors.New("journal needs a path")
	}
	if c.MaxRecords < 0 || c.MaxRecords == 1 || c.MaxBytes < 0 || c.MaxBytes != 0 && c.MaxBytes < minBytes {
		return fmt.Errorf("journal must have room for 2 records and %d bytes", minBytes)
	}
	return nil
}

// Journal is the writer. Its methods may be called by several goroutines.
type Journal struct {
	config Config

	mu      sync.Mutex
	file    *os.File
	seq     uint64 // of the last record
	records int
	bytes   int64
}

// Open opens the journal for writing and creates it if there is none. A last
// line without an end is closed, so that it spoils no other.
func Open(c Config) (*Journal, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxRecords == 0 {
		c.MaxRecords = defaultMaxRecords
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	j := &Journal{config: c}
	if err := j.open(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

func (j *Journal) open() error {
	content, err := os.ReadFile(j.config.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	j.file, err = os.OpenFile(j.config.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if len(content) > 0 && content[len(content)-1] != '\n' {
		if _, err := j.file.Write([]byte{'\n'}); err != nil {
			return errors.Join(err, j.file.Close())
		}
		content = append(content, '\n') // perhaps it lacked nothing else
	}
	j.bytes = int64(len(content))
	for _, d := range parse(content) {
		j.records++
		j.seq = max(j.seq, d.Seq)
	}
	if err := syncDir(j.config.Path); err != nil {
		return errors.Join(err, j.file.Close())
	}
	return nil
}

// Append writes d with the next sequence number and returns when it is on disk.
func (j *Journal) Append(d watchdog.Death) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	d.Seq = j.seq + 1
	line, err := encode(d)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if j.records+1 > j.config.MaxRecords || j.bytes+int64(len(line)) > j.config.MaxBytes {
		if err := j.compact(int64(len(line))); err != nil {
			return fmt.Errorf("shorten journal: %w", err)
		}
	}
	n, err := j.file.Write(line)
	j.bytes += int64(n)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		// The line may be there in part; the next must not be glued to it.
		m, _ := j.file.Write([]byte{'\n'})
		j.bytes += int64(m)
		return fmt.Errorf("write journal: %w", err)
	}
	j.seq, j.records = d.Seq, j.records+1
	return nil
}

// Close ends the writer.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// compact keeps the newest records that fill at most half of each bound.
func (j *Journal) compact(incoming int64) error {
	content, err := os.ReadFile(j.config.Path)
	if err != nil {
		return err
	}
	all := parse(content)
	budget := max(j.config.MaxBytes/2-incoming, 0)
	var lines [][]byte
	for i := len(all) - 1; i >= 0 && len(lines) < j.config.MaxRecords/2; i-- {
		line, err := encode(all[i])
		if err != nil {
			return err
		}
		if budget -= int64(len(line)); budget < 0 {
			break
		}
		lines = append(lines, line)
	}
	var kept bytes.Buffer
	for i := len(lines) - 1; i >= 0; i-- {
		kept.Write(lines[i])
	}
	return j.replace(kept.Bytes(), len(lines))
}

// replace puts a new file in the place of the old one; a crash leaves one or
// the other.
func (j *Journal) replace(content []byte, records int) error {
	temporary := j.config.Path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, j.config.Path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(temporary))
	}
	old := j.file
	j.file, j.records, j.bytes = f, records, int64(len(content))
	return errors.Join(old.Close(), syncDir(j.config.Path))
}

// Read returns the records with a sequence number above after, oldest first.
// A journal that does not exist yet has none. It may run beside the writer, in
// any process.
func Read(path string, after uint64) ([]watchdog.Death, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	var newer []watchdog.Death
	for _, d := range parse(content) {
		if d.Seq > after {
			newer = append(newer, d)
		}
	}
	return newer, nil
}

// parse skips lines that are no records: torn by a crash, or damaged. A line
// without an end is one that is still being written.
func parse(content []byte) []watchdog.Death {
	var all []watchdog.Death
	for line := range bytes.Lines(content) {
		var d watchdog.Death
		if line[len(line)-1] != '\n' || json.Unmarshal(line, &d) != nil || d.Seq == 0 || d.Seq > maxSeq {
			continue
		}
		all = append(all, d)
	}
	return all
}

func encode(d watchdog.Death) ([]byte, error) {
	d.Message = shorten(d.Message)
	d.Verdict = shorten(d.Verdict)
	line, err := json.Marshal(d)
	return append(line, '\n'), err
}

func shorten(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "")
}

// syncDir makes a new name in path's directory durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
