package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/seadog/seadog/deployer"
)

// End is behind everything that a transcript holds, now and later.
func End() Position {
	return Position{Step: len(deployer.Steps()) - 1, Offset: math.MaxInt64}
}

// Before returns the last records before a position, at most most and in the
// order in which they were written, and the position of the first of them. It
// is the way to the end of a long transcript that does not lead through all of it.
func (b Book) Before(deployment int64, to Position, most int) (records []Record, from Position, err error) {
	if !to.valid() {
		return nil, to, deployer.Errorf(deployer.CodeInvalid, "%s is no position in a log", to)
	}
	from = to
	for step := to.Step; step >= 0 && len(records) < most; step-- {
		end := int64(math.MaxInt64)
		if step == to.Step {
			end = to.Offset
		}
		found, at, err := b.stepBefore(deployment, step, end, most-len(records))
		if err != nil {
			return records, from, fmt.Errorf("read transcript backwards: %w", err)
		}
		if len(found) > 0 {
			records, from = append(found, records...), Position{Step: step, Offset: at}
		}
	}
	return records, from, nil
}

// stepBefore returns the last records of one step that end at or before an
// offset, and where the first of them begins.
func (b Book) stepBefore(deployment int64, number int, end int64, most int) ([]Record, int64, error) {
	step := deployer.Steps()[number]
	f, err := os.Open(b.file(deployment, step))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, end, nil
	}
	if err != nil {
		return nil, end, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, end, err
	}
	end = min(end, info.Size())
	for window := int64(readSize); ; window *= 4 {
		start, err := align(f, max(0, end-window))
		if err != nil {
			return nil, end, err
		}
		records, starts, err := section(f, number, start, end)
		if err != nil {
			return nil, end, err
		}
		if len(records) >= most || start == 0 || end-window <= 0 {
			extra := max(0, len(records)-most)
			if records = slices.Clip(records[extra:]); len(records) == 0 {
				return nil, end, nil
			}
			return records, starts[extra], nil
		}
	}
}

// section reads the complete records between two offsets, and where each begins.
func section(f *os.File, number int, start, end int64) (records []Record, starts []int64, err error) {
	if end <= start {
		return nil, nil, nil
	}
	buf := make([]byte, end-start)
	n, err := f.ReadAt(buf, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	buf = buf[:bytes.LastIndexByte(buf[:n], '\n')+1]
	at := start
	for line := range bytes.Lines(buf) {
		begin := at
		at += int64(len(line))
		if r, ok := parseRecord(deployer.Steps()[number], line[:len(line)-1]); ok {
			r.Next = Position{Step: number, Offset: at}
			records, starts = append(records, r), append(starts, begin)
		}
	}
	return records, starts, nil
}
