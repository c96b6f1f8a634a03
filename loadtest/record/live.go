package record

import (
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// shownClasses is how many of the errors a terminal has room for.
const shownClasses = 5

// Live is how a run stands, for a terminal. Counts are of requests that have
// ended; how many are under way the sender knows better.
type Live struct {
	Sent    uint64
	Done    uint64 // answered
	Failed  uint64
	Dropped uint64
	Last    Moment        // the last whole second
	Gap     time.Duration // that goes on
	Errors  []loadtest.ErrorClass
}

// Moment is what ended within one second, of judged traffic.
type Moment struct {
	At            time.Duration // when it began
	Done          uint64
	Failed        uint64
	P50, P99, Max time.Duration // of response
}

func (l *Live) take(s *loadtest.Sample) {
	if s.Sent > 0 {
		l.Sent++
	}
	if s.Outcome.Answered() {
		l.Done++
	}
	if s.Outcome.Failed() {
		l.Failed++
	}
	if s.Outcome == loadtest.Dropped {
		l.Dropped++
	}
}

// Live returns how the run stands at now, when the oldest request under way was
// sent at oldest (0: none is). It holds nothing up.
func (r *Recorder) Live(now, oldest time.Duration) Live {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.total
	r.recent.advance(now)
	live.Last = r.recent.last
	live.Gap = r.gaps.Open(now, oldest)
	errors := r.classes.report()
	live.Errors = errors[:min(len(errors), shownClasses)]
	return live
}

// recent is the second that goes on, and the one before.
type recent struct {
	last      Moment
	current   Moment
	responses *histogram.Histogram // of current
}

func (r *recent) take(s *loadtest.Sample) {
	if r.responses == nil {
		r.responses = histogram.NewCoarse()
	}
	if s.Outcome.Answered() {
		r.current.Done++
	}
	if s.Outcome.Failed() {
		r.current.Failed++
	}
	if d, ok := s.Measure(loadtest.MetricResponse); ok {
		r.responses.Record(d)
	}
}

func (r *recent) advance(now time.Duration) {
	second := now.Truncate(time.Second)
	if second <= r.current.At {
		return
	}
	r.last = Moment{At: second - time.Second}
	if r.current.At == r.last.At { // else nothing ended in it
		r.last = r.current
		if h := r.responses; h != nil {
			r.last.P50, r.last.P99, r.last.Max = h.Quantile(0.5), h.Quantile(0.99), h.Max()
		}
	}
	if r.responses != nil {
		r.responses.Reset()
	}
	r.current = Moment{At: second}
}
