package run

import (
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/hang"
)

// Take implements [loadtest.Sink]: it passes every sample on to whoever counts,
// judges and keeps the books.
func (t *trial) Take(s *loadtest.Sample) {
	t.answered = t.answered || s.Status != 0
	t.recorder.Take(s)
	t.judge.Take(s)
	t.hang.Take(s)
	if t.ledger != nil {
		t.ledger.Take(s)
	}
	if t.options.Sink != nil {
		t.options.Sink.Take(s)
	}
}

// point passes on what was seen of the service since the load has started.
func (t *trial) point(name string, p loadtest.Point) {
	if p.At >= 0 {
		t.judge.Server(name, p)
	}
}

// event tells the judge of a fault: of its beginning before the deed.
func (t *trial) event(e fault.Event) {
	switch e.Change {
	case fault.Began:
		t.judge.FaultBegan(e.Fault, e.At)
	case fault.Ended:
		t.judge.FaultEnded(e.Fault, e.At)
	}
	if t.options.Fault != nil {
		t.options.Fault(e)
	}
}

// inflight tells the hang detector what is out.
func (t *trial) inflight() []hang.Request {
	out := t.attack.Inflight()
	list := make([]hang.Request, len(out))
	for i, r := range out {
		list[i] = hang.Request{Traffic: t.scenario.Traffic[r.Traffic].Name, Seq: r.Seq, Sent: r.Sent, First: r.First}
	}
	return list
}
