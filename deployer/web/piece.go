package web

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// pieces are parts of logs, encoded for the browser. The tailer gives the same
// records to everybody who follows a log at the same place; they are encoded
// once for all of them.
type pieces struct {
	mu   sync.Mutex
	ring [keptPieces]piece
	next int
}

// keptPieces is for how many a follower may be behind another: a tailer lets
// four wait for each.
const keptPieces = 16

type piece struct {
	of    *transcript.Record // the first one; it keeps the records, so no others have its address
	count int
	event []byte
}

func newPieces() *pieces { return &pieces{} }

// event returns the event that carries records. They must not be changed
// afterwards, and neither must the event.
func (p *pieces) event(d deployer.Deployment, records []transcript.Record) ([]byte, error) {
	if len(records) == 0 {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, known := range p.ring {
		if known.of == &records[0] && known.count == len(records) {
			return known.event, nil
		}
	}
	encoded, err := encodeRecords(d, records)
	if err != nil {
		return nil, err
	}
	last := records[len(records)-1].Next.String()
	out := make([]byte, 0, len(encoded)+64)
	out = fmt.Appendf(out, "id: %s\nevent: lines\ndata: ", last)
	out = append(append(out, encoded...), '\n', '\n')
	p.ring[p.next] = piece{&records[0], len(records), out}
	p.next = (p.next + 1) % keptPieces
	return out, nil
}

// encodeRecords writes records as JSON for the script: a list of lists with
// position, step, time since the deployment began, stream and text, for example
//
//	[["2:4711","build","0:12","o","#5 DONE 0.1s"],…]
func encodeRecords(d deployer.Deployment, records []transcript.Record) ([]byte, error) {
	rows := make([][5]string, len(records))
	for i, r := range records {
		stream := "o"
		if r.Stream == process.Stderr {
			stream = "e"
		}
		rows[i] = [5]string{r.Next.String(), string(r.Step), elapsed(d, r.Time), stream, cut(r.Line, longestLine)}
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("encode log: %w", err)
	}
	return encoded, nil
}
