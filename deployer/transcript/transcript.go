// Package transcript keeps what the steps of a deployment printed.
package transcript

import (
	"context"
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

// Book is the directory of all transcripts: <Dir>/<deployment>/<step>.
type Book struct{ Dir string }

// The signatures that others build on:
//
//	func ParsePosition(s string) (Position, error)
//	func (p Position) String() string
//	func (b Book) Create(deployment int64, step deployer.Step, limit int64, r *Redactor) (*Writer, error)
//	func (w *Writer) Line(s process.Stream, line []byte)   // never blocks on a reader; errors are kept for Close
//	func (w *Writer) Close() error
//	func (b Book) Read(deployment int64, from Position, max int) ([]Record, Position, error)
//	func (b Book) Remove(deployment int64) error
//	func NewTailer(b Book) *Tailer; func (t *Tailer) Run(ctx context.Context) error
//	func (t *Tailer) Follow(ctx context.Context, deployment int64, from Position) (<-chan []Record, error) // closed when ctx ends or the reader is too slow
//	func NewRedactor(secrets ...deployer.Secret) *Redactor; func (r *Redactor) Redact(line []byte) []byte; func (r *Redactor) String(s string) string
var _ context.Context
