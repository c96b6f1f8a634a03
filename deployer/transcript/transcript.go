// Package transcript keeps what the steps of a deployment printed.
//
// It owns the files <Dir>/<deployment>/<step>: their format, what is taken out
// of a line before it is written (secrets, escape sequences), their size limit,
// and reading them while they grow. It refuses to know when a deployment is
// over, and to wait: for a reader when it writes, for a slow follower when it reads.
//
// The runner alone writes, with one [Writer] per step. Any process may read:
// [Book.Read] from a position, [Tailer] for many followers at once.
//
// Goroutines: none but the caller of [Tailer.Run], and a timer that flushes a
// [Writer].
package transcript

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// Record is one redacted line of output.
type Record struct {
	Step   deployer.Step  `json:"step"`
	Time   time.Time      `json:"time"`
	Stream process.Stream `json:"stream"`
	Line   string         `json:"line"`
	Next   Position       `json:"-"` // where reading goes on after this record
}

// Position is a place in a deployment's transcript. The zero value is its
// start. Its text form, "<step number>:<byte offset>", is the SSE event id.
type Position struct {
	Step   int   // index into deployer.Steps()
	Offset int64 // in that step's file
}

// ParsePosition reads the form that [Position.String] writes. "" is the start.
func ParsePosition(s string) (Position, error) {
	if s == "" {
		return Position{}, nil
	}
	wrong := deployer.Errorf(deployer.CodeInvalid, "%.40q is no position in a log", s).WithHint("use the id of an event, or leave it out")
	step, offset, ok := strings.Cut(s, ":")
	if !ok {
		return Position{}, wrong
	}
	n, err := strconv.ParseUint(step, 10, 8)
	if err != nil {
		return Position{}, wrong.Because(err)
	}
	at, err := strconv.ParseUint(offset, 10, 63)
	if err != nil {
		return Position{}, wrong.Because(err)
	}
	p := Position{Step: int(n), Offset: int64(at)}
	if !p.valid() || p.String() != s {
		return Position{}, wrong
	}
	return p, nil
}

func (p Position) String() string {
	return strconv.Itoa(p.Step) + ":" + strconv.FormatInt(p.Offset, 10)
}

func (p Position) valid() bool {
	return p.Step >= 0 && p.Step < len(deployer.Steps()) && p.Offset >= 0
}

// Before reports whether p comes before q.
func (p Position) Before(q Position) bool {
	return p.Step < q.Step || p.Step == q.Step && p.Offset < q.Offset
}

// Book is the directory of all transcripts: <Dir>/<deployment>/<step>.
type Book struct{ Dir string }

func (b Book) directory(deployment int64) string {
	return filepath.Join(b.Dir, strconv.FormatInt(deployment, 10))
}

func (b Book) file(deployment int64, step deployer.Step) string {
	return filepath.Join(b.directory(deployment), string(step))
}

// Remove deletes the transcript of a deployment. It is no error if there is none.
func (b Book) Remove(deployment int64) error {
	if err := os.RemoveAll(b.directory(deployment)); err != nil {
		return fmt.Errorf("remove transcript: %w", err)
	}
	return nil
}
