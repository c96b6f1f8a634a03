package transcript

import (
	"bytes"
	"strconv"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// recordOverhead bounds what a record is longer than its text.
const recordOverhead = 24

// appendRecord appends one line of a transcript, for example
//
//	1767225600123 o Fetching origin
//
// with the time in Unix milliseconds and the stream ('o' or 'e').
func appendRecord(dst []byte, s process.Stream, text []byte) []byte {
	dst = strconv.AppendInt(dst, time.Now().UnixMilli(), 10)
	dst = append(dst, ' ', byte(s), ' ')
	dst = append(dst, text...)
	return append(dst, '\n')
}

// parseRecord reads such a line without its end.
func parseRecord(step deployer.Step, line []byte) (Record, bool) {
	stamp, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(rest) < 2 || rest[1] != ' ' {
		return Record{}, false
	}
	ms, err := strconv.ParseInt(string(stamp), 10, 64)
	if err != nil || ms < 0 {
		return Record{}, false
	}
	s := process.Stream(rest[0])
	if s != process.Stdout && s != process.Stderr {
		return Record{}, false
	}
	text := string(bytes.ToValidUTF8(rest[2:], []byte("\uFFFD")))
	return Record{Step: step, Time: time.UnixMilli(ms).UTC(), Stream: s, Line: text}, true
}

// lastRecords returns the complete records in the last tailSize bytes of b, at least one.
func lastRecords(b []byte) []byte {
	if len(b) <= tailSize {
		return b
	}
	from := len(b) - tailSize
	if i := bytes.IndexByte(b[from-1:len(b)-1], '\n'); i >= 0 {
		return b[from+i:]
	}
	return b[bytes.LastIndexByte(b[:len(b)-1], '\n')+1:]
}

func countLines(b []byte) int { return bytes.Count(b, []byte{'\n'}) }
