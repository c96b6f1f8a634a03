package run

import (
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
	"github.com/seadog/seadog/loadtest/record"
)

// Standing is how a run stands, for whoever watches it.
type Standing struct {
	Scenario   string
	Now        time.Duration // since the start
	Length     time.Duration // of the load
	Phase      string
	Counts     attack.Counts
	Planned    []uint64 // due by now, by traffic
	Live       record.Live
	Thresholds []loadtest.ThresholdResult // as they stand
	Hangs      []loadtest.HangReport
}

func (t *trial) show() {
	if t.options.Watch != nil {
		t.options.Watch(t.standing())
	}
}

func (t *trial) standing() Standing {
	now := t.clock.since()
	oldest := time.Duration(0)
	if out := t.attack.Inflight(); len(out) > 0 {
		oldest = out[0].Sent
	}
	s := Standing{
		Scenario: t.scenario.Name, Now: now, Length: t.scenario.Length(), Phase: t.phase(now),
		Counts: t.attack.Counts(), Live: t.recorder.Live(now, oldest), Thresholds: t.judge.Standing(), Hangs: t.hang.Hangs(),
	}
	for _, due := range t.planned {
		s.Planned = append(s.Planned, due(now))
	}
	return s
}

// phase returns the name of the phase at a time, "drain" after the last one.
func (t *trial) phase(now time.Duration) string {
	for i := range t.scenario.Phases {
		if now < t.scenario.Begins(i+1) {
			return t.scenario.Phases[i].Name
		}
	}
	return "drain"
}
