package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/seadog/seadog/deployer"
)

const (
	readSize = 64 << 10
	// longestRecord bounds the memory for one record; a longer one is not ours.
	longestRecord = 1 << 20
)

// Read returns at most max records (1,000 if max is not positive) from a
// position on, and the position after them. It does not wait: at the end of
// what is there it returns no record. A record that is not written completely
// yet is not returned. Steps follow each other in their order; a later one that has begun
// means that the earlier ones are over.
//
// A deployment without transcript has no records; that is no error.
func (b Book) Read(deployment int64, from Position, max int) ([]Record, Position, error) {
	if !from.valid() {
		return nil, from, deployer.Errorf(deployer.CodeInvalid, "%s is no position in a log", from)
	}
	if max <= 0 {
		max = 1000
	}
	var records []Record
	for {
		// Asked before reading: what the earlier step's writer wrote before
		// the later step began is then certainly seen.
		next := b.nextStep(deployment, from.Step)
		var err error
		if records, from, err = b.readStep(deployment, from, records, max); err != nil {
			return records, from, fmt.Errorf("read transcript: %w", err)
		}
		if len(records) >= max || next < 0 {
			return records, from, nil
		}
		from = Position{Step: next}
	}
}

// nextStep returns the first step after step that has a transcript, -1 if there is none.
func (b Book) nextStep(deployment int64, step int) int {
	steps := deployer.Steps()
	for i := step + 1; i < len(steps); i++ {
		if _, err := os.Stat(b.file(deployment, steps[i])); err == nil {
			return i
		}
	}
	return -1
}

// readStep appends records of one step until there are max.
func (b Book) readStep(deployment int64, from Position, records []Record, max int) ([]Record, Position, error) {
	step := deployer.Steps()[from.Step]
	f, err := os.Open(b.file(deployment, step))
	if errors.Is(err, fs.ErrNotExist) {
		return records, from, nil
	}
	if err != nil {
		return records, from, err
	}
	defer f.Close()
	if from.Offset, err = align(f, from.Offset); err != nil {
		return records, from, err
	}
	buf := make([]byte, readSize)
	for len(records) < max {
		n, err := f.ReadAt(buf, from.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return records, from, err
		}
		end := bytes.LastIndexByte(buf[:n], '\n') + 1
		if end == 0 {
			if n < len(buf) {
				return records, from, nil // nothing complete yet
			}
			if len(buf) >= longestRecord {
				return records, from, fmt.Errorf("%s has a line of more than %d bytes", step, longestRecord)
			}
			buf = make([]byte, 2*len(buf))
			continue
		}
		for line := range bytes.Lines(buf[:end]) {
			if len(records) == max {
				break
			}
			from.Offset += int64(len(line))
			// What cannot be read is passed over: a writer that was killed
			// leaves half a record.
			if r, ok := parseRecord(step, line[:len(line)-1]); ok {
				r.Next = from
				records = append(records, r)
			}
		}
	}
	return records, from, nil
}

// align moves an offset that is not at the start of a record, because a client
// made it up, to the start of the next one, and one beyond the end to the end.
func align(f *os.File, offset int64) (int64, error) {
	if offset == 0 {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if offset >= info.Size() {
		return min(offset, info.Size()), nil
	}
	buf := make([]byte, readSize)
	for at := offset - 1; ; at += int64(len(buf)) {
		n, err := f.ReadAt(buf, at)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		if err != nil {
			return info.Size(), nil
		}
	}
}
