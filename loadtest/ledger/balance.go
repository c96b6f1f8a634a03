package ledger

import (
	"fmt"

	"github.com/seadog/seadog/loadtest"
)

const mostExamples = 10

// balance adds up what was found, and keeps some ids for people.
type balance struct {
	index    *index
	report   *loadtest.LedgerReport
	examples [4][]string // by kind, so that no kind crowds out the others
}

const (
	aboutLost = iota
	aboutDuplicate
	aboutRefused
	aboutUnended
)

func (b *balance) example(kind int, position uint64, text string) {
	if len(b.examples[kind]) == mostExamples {
		return
	}
	traffic, seq := b.index.request(position)
	b.examples[kind] = append(b.examples[kind],
		fmt.Sprintf("%s (%s %d): %s", b.index.id(position), b.index.ledger.config.Scenario.Traffic[traffic].Name, seq, text))
}

// judge compares what was answered with what was found, for one id.
func (b *balance) judge(position uint64, found bool) {
	is := b.index.state(position)
	if found && is != unsent {
		b.report.Found++
	}
	switch {
	case is == accepted && !found:
		b.report.Lost++
		b.example(aboutLost, position, "lost: it was accepted, and the service does not know it")
	case is == rejected && found:
		b.report.Refused++
		b.example(aboutRefused, position, "refused, and processed all the same")
	case is == unknown && found:
		b.report.UnknownOK++
	}
}

// close writes the examples into the report, of each kind in turn.
func (b *balance) close() {
	for i := range mostExamples {
		for _, of := range b.examples {
			if i < len(of) && len(b.report.Examples) < mostExamples {
				b.report.Examples = append(b.report.Examples, of[i])
			}
		}
	}
}
