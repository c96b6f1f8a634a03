package record

import (
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// mostRows is how long a series gets before rows are merged. An hour and eight
// minutes fit at a row a second.
const mostRows = 4096

// series is the time series: rows of the seconds that are closed, and seconds
// that are open.
type series struct {
	rows  []loadtest.Row
	width int       // seconds in a row
	first int       // the oldest second that is open
	open  []*second // from first on, without holes
	spare []*second
}

// second is one that is open.
type second struct {
	row      loadtest.Row // counts
	response *histogram.Histogram
	service  *histogram.Histogram
	selfLag  *histogram.Histogram
	slotWait *histogram.Histogram
}

func newSeries() *series { return &series{width: 1} }

// closed returns up to when all seconds are closed.
func (s *series) closed() time.Duration { return time.Duration(s.first) * time.Second }

// take counts a sample; planned says that it was planned because it came.
func (s *series) take(x *loadtest.Sample, planned bool) {
	due := s.at(x.Due)
	if due == nil { // later than the limits allow: the second has its percentiles already
		s.late(x, planned)
	} else {
		count(&due.row, x, planned)
		due.measure(x)
	}
	ended := s.at(x.Done)
	if ended == nil {
		return
	}
	if x.Outcome.Answered() {
		ended.row.Done++
	}
	if x.Outcome.Failed() {
		ended.row.Failed++
	}
}

// late counts a sample that was due in a second that is closed.
func (s *series) late(x *loadtest.Sample, planned bool) {
	i := int(x.Due/time.Second) / s.width
	if i < 0 || i >= len(s.rows) {
		return
	}
	count(&s.rows[i], x, planned)
	if d, ok := x.Measure(loadtest.MetricResponse); ok {
		s.rows[i].Max = max(s.rows[i].Max, d)
	}
}

func count(row *loadtest.Row, x *loadtest.Sample, planned bool) {
	if planned {
		row.Planned++
	}
	if x.Sent > 0 {
		row.Sent++
	}
	if x.Outcome == loadtest.Dropped {
		row.Dropped++
	}
}

// at returns the second that t lies in, nil if it is closed.
func (s *series) at(t time.Duration) *second {
	i := int(t/time.Second) - s.first
	if i < 0 {
		return nil
	}
	for len(s.open) <= i {
		s.open = append(s.open, s.fresh())
	}
	return s.open[i]
}

func (s *series) fresh() *second {
	if n := len(s.spare); n > 0 {
		fresh := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return fresh
	}
	return &second{
		response: histogram.NewCoarse(), service: histogram.NewCoarse(),
		selfLag: histogram.NewCoarse(), slotWait: histogram.NewCoarse(),
	}
}

func (s *second) measure(x *loadtest.Sample) {
	if d, ok := x.Measure(loadtest.MetricResponse); ok {
		s.response.Record(d)
	}
	if d, ok := x.Measure(loadtest.MetricService); ok {
		s.service.Record(d)
	}
	if d, ok := x.Measure(loadtest.MetricSelfLag); ok {
		s.selfLag.Record(d)
	}
	if d, ok := x.Measure(loadtest.MetricSlotWait); ok {
		s.slotWait.Record(d)
	}
}

// closeOne closes the oldest second that is open; gap and inflight are what was
// under way in it.
func (s *series) closeOne(gap time.Duration, inflight int) {
	row := loadtest.Row{}
	if len(s.open) > 0 {
		x := s.open[0]
		row = x.row
		row.P50, row.P99, row.Max = x.response.Quantile(0.5), x.response.Quantile(0.99), x.response.Max()
		row.Service, row.SelfLag, row.SlotWait = x.service.Quantile(0.99), x.selfLag.Quantile(0.99), x.slotWait.Quantile(0.99)
		s.open = slices.Delete(s.open, 0, 1)
		x.reset()
		s.spare = append(s.spare, x)
	}
	row.At, row.For, row.Gap, row.Inflight = s.closed(), time.Second, gap, inflight
	s.add(row)
	s.first++
}

func (s *second) reset() {
	s.row = loadtest.Row{}
	for _, h := range []*histogram.Histogram{s.response, s.service, s.selfLag, s.slotWait} {
		h.Reset()
	}
}

// add appends the row of the next second.
func (s *series) add(row loadtest.Row) {
	if s.first%s.width > 0 {
		last := &s.rows[len(s.rows)-1]
		*last = merged(*last, row)
		return
	}
	if len(s.rows) == mostRows {
		for i := range mostRows / 2 {
			s.rows[i] = merged(s.rows[2*i], s.rows[2*i+1])
		}
		s.rows = s.rows[:mostRows/2]
		s.width *= 2
	}
	s.rows = append(s.rows, row)
}

// merged is one row for two that follow each other.
func merged(a, b loadtest.Row) loadtest.Row {
	return loadtest.Row{
		At: a.At, For: a.For + b.For,
		Planned: a.Planned + b.Planned, Sent: a.Sent + b.Sent, Done: a.Done + b.Done,
		Failed: a.Failed + b.Failed, Dropped: a.Dropped + b.Dropped,
		Inflight: max(a.Inflight, b.Inflight),
		P50:      max(a.P50, b.P50), P99: max(a.P99, b.P99), Max: max(a.Max, b.Max),
		Service: max(a.Service, b.Service), SelfLag: max(a.SelfLag, b.SelfLag), SlotWait: max(a.SlotWait, b.SlotWait),
		Gap: max(a.Gap, b.Gap),
	}
}

// end cuts the last row to the end of the run.
func (s *series) end(at time.Duration) {
	if n := len(s.rows); n > 0 {
		last := &s.rows[n-1]
		last.For = min(last.For, max(0, at-last.At))
	}
}

func (s *series) copy() []loadtest.Row { return slices.Clone(s.rows) }
