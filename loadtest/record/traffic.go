package record

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// statuses is how many are told apart; HTTP has three digits.
const statuses = 1000

// measures are the durations that a report shows, in the order of its fields.
var measures = [...]loadtest.Metric{
	loadtest.MetricResponse, loadtest.MetricService, loadtest.MetricTTFB, loadtest.MetricSelfLag, loadtest.MetricSlotWait,
}

// traffic adds up one kind of request.
type traffic struct {
	is        *loadtest.Traffic
	plan      func(time.Duration) uint64 // nil: what came was planned
	came      uint64
	sent      uint64
	outcomes  [loadtest.Outcomes]uint64
	statuses  [statuses]uint64
	plain     uint64
	repeated  uint64
	spoiled   []uint64 // by negative
	out, in   int64    // bytes
	durations [len(measures)]*histogram.Histogram
}

func (t *traffic) take(s *loadtest.Sample, judged bool) {
	t.came++
	if s.Sent > 0 {
		t.sent++
	}
	if int(s.Outcome) < len(t.outcomes) {
		t.outcomes[s.Outcome]++
	}
	if s.Status > 0 && s.Status < statuses {
		t.statuses[s.Status]++
	}
	t.variant(s)
	t.out += s.BytesOut
	t.in += s.BytesIn
	if !judged {
		return
	}
	for i, m := range measures {
		if d, ok := s.Measure(m); ok {
			if t.durations[i] == nil {
				t.durations[i] = histogram.New()
			}
			t.durations[i].Record(d)
		}
	}
}

func (t *traffic) variant(s *loadtest.Sample) {
	switch s.Variant {
	case loadtest.Plain:
		t.plain++
	case loadtest.Repeated:
		t.repeated++
	case loadtest.Spoiled:
		if t.spoiled == nil {
			t.spoiled = make([]uint64, len(t.is.Negatives))
		}
		if s.Negative >= 0 && s.Negative < len(t.spoiled) {
			t.spoiled[s.Negative]++
		}
	}
}

// report returns the sums of a run that has lasted until now.
func (t *traffic) report(now time.Duration) (loadtest.TrafficReport, error) {
	r := loadtest.TrafficReport{
		Name: t.is.Name, Planned: t.came, Sent: t.sent, Done: t.outcomes[loadtest.OK] + t.outcomes[loadtest.Unexpected],
		Outcomes: map[string]uint64{}, Statuses: map[string]uint64{}, Variants: map[string]uint64{},
		BytesOut: t.out, BytesIn: t.in,
	}
	if t.plan != nil {
		r.Planned = t.plan(now)
	}
	add := func(to map[string]uint64, name string, n uint64) {
		if n > 0 {
			to[name] += n
		}
	}
	for o, n := range t.outcomes {
		add(r.Outcomes, loadtest.Outcome(o).String(), n)
	}
	for status, n := range t.statuses {
		add(r.Statuses, strconv.Itoa(status), n)
	}
	add(r.Variants, "plain", t.plain)
	add(r.Variants, "replay", t.repeated)
	for i, n := range t.spoiled {
		add(r.Variants, t.is.Negatives[i].Name, n)
	}
	for i, to := range [len(measures)]*loadtest.Percentiles{&r.Response, &r.Service, &r.TTFB, &r.SelfLag, &r.SlotWait} {
		if t.durations[i] == nil {
			continue
		}
		p, err := t.durations[i].Percentiles()
		if err != nil {
			return r, fmt.Errorf("%s of traffic %s: %w", measures[i], t.is.Name, err)
		}
		*to = p
	}
	return r, nil
}
