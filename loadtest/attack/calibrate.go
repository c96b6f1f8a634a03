package attack

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

const (
	calibrateFor = 2 * time.Second
	attempts     = 3    // one that succeeds is enough: something else may have run beside the others
	headroom     = 1.25 // over the peak of the scenario
	stepFor      = time.Second
	steps        = 6 // until the rate that can be done is known to a few percent
)

// Calibrate finds out whether this machine can send the requests of s at 1.25
// times their highest rate, to a server that does nothing, without being late
// itself. It takes two seconds; if the machine cannot, it tries twice more, and
// goes on to find the rate that it can do, which takes ten seconds more. The error says that there was no
// calibration; whether it succeeded is in its OK, and [Refuse] turns that into
// an error.
func Calibrate(ctx context.Context, s *loadtest.Scenario, log *slog.Logger) (loadtest.Calibration, error) {
	peaks, err := peaks(s)
	if err != nil {
		return loadtest.Calibration{}, err
	}
	total := 0.0
	for _, p := range peaks {
		total += p
	}
	if total == 0 {
		return loadtest.Calibration{OK: true}, nil
	}
	c := &calibrator{scenario: s, peaks: peaks, total: total, log: log}
	var result loadtest.Calibration
	for range attempts {
		if result, err = c.try(ctx, headroom*total, calibrateFor); err != nil || result.OK {
			return result, err
		}
	}
	result.Can, err = search(result.Rate, func(rate float64) (bool, error) {
		r, err := c.try(ctx, rate, stepFor)
		return r.OK, err
	})
	return result, err
}

// Refuse returns a [*Refusal] if a calibration failed, nil otherwise.
func Refuse(c loadtest.Calibration) error {
	if c.OK {
		return nil
	}
	text := fmt.Sprintf("this machine cannot send %.0f requests a second (1.25 times the highest rate) without being late itself: self_lag p99 is %s; ",
		c.Rate, c.Lag)
	if c.Can > 0 {
		return &Refusal{"G8", text + fmt.Sprintf("it can do %.0f a second: keep rates below %.0f, or send from another machine", c.Can, c.Can/headroom)}
	}
	return &Refusal{"G8", text + "it is too busy even for a hundredth of that; see what else is running"}
}

// peaks returns the highest rate of each traffic, in the phase in which all of
// them together have theirs.
func peaks(s *loadtest.Scenario) ([]float64, error) {
	most, best := 0.0, make([]float64, len(s.Traffic))
	for j, p := range s.Phases {
		rates, sum := make([]float64, len(s.Traffic)), 0.0
		for i := range s.Traffic {
			schedule, err := pace.In(s, i, j)
			if err != nil {
				return nil, fmt.Errorf("traffic %q in phase %q: %w", s.Traffic[i].Name, p.Name, err)
			}
			rates[i] = pace.Peak(schedule, p.For)
			sum += rates[i]
		}
		if sum > most {
			most, best = sum, rates
		}
	}
	return best, nil
}

type calibrator struct {
	scenario *loadtest.Scenario
	peaks    []float64
	total    float64
	log      *slog.Logger
}

// search bisects, on a logarithmic scale, for the highest rate that can be done,
// given one that cannot. It is 0 if not even a hundredth can.
func search(failed float64, try func(rate float64) (bool, error)) (can float64, err error) {
	low, high := failed/100, failed
	for range steps {
		rate := math.Sqrt(low * high)
		ok, err := try(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			can, low = rate, rate
		} else {
			high = rate
		}
	}
	return can, nil
}

// try sends at a rate for a while, to a server of its own: ports of connections
// to the one before may still be taken. Against a server that does nothing, all
// lateness is this machine's, waiting for a slot included.
func (c *calibrator) try(ctx context.Context, rate float64, d time.Duration) (loadtest.Calibration, error) {
	server, err := newNull()
	if err != nil {
		return loadtest.Calibration{}, err
	}
	defer server.close()
	late := lateness{hdr.New(1, int64(10*time.Minute/time.Microsecond), 3)}
	rate = min(rate, pace.MaxRate)
	a, err := New(Config{Scenario: c.at(server, rate, d), Run: "calibration", Sink: late, Log: c.log})
	if err != nil {
		return loadtest.Calibration{}, err
	}
	if err := a.Run(ctx); err != nil {
		return loadtest.Calibration{}, err
	}
	if ctx.Err() != nil {
		return loadtest.Calibration{}, context.Cause(ctx)
	}
	counts, limit := a.Counts(), lagLimit(c.scenario.Thresholds)
	r := loadtest.Calibration{Rate: rate, Achieved: float64(counts.Sent) / d.Seconds(), Lag: time.Duration(late.ValueAtQuantile(99)) * time.Microsecond}
	r.OK = r.Lag <= limit && share(counts.Dropped, counts.Planned) <= lostShare
	for _, rule := range a.Generator().Rules {
		r.OK = r.OK && (rule.OK || rule.ID == "G7")
	}
	c.log.Debug("calibrated", loadtest.KeyRate, rate, loadtest.KeyAchieved, r.Achieved, loadtest.KeyLag, r.Lag, loadtest.KeyOK, r.OK)
	return r, nil
}

// lateness is a sink that counts how late requests were sent.
type lateness struct{ *hdr.Histogram }

func (l lateness) Take(s *loadtest.Sample) {
	late := s.Sent - s.Due
	if s.Sent == 0 {
		late = s.Done - s.Due
	}
	_ = l.RecordValue(min(late.Microseconds(), l.HighestTrackableValue()))
}

// at is the scenario as it is sent to the null server: every traffic at the
// same part of its peak, constantly, and whatever comes back is good.
func (c *calibrator) at(server *null, rate float64, d time.Duration) *loadtest.Scenario {
	s := *c.scenario
	s.Target = loadtest.Target{BaseURL: "http://" + server.ln.Addr().String()}
	s.Phases = []loadtest.Phase{{Name: "calibration", For: d, Judged: true, Scale: 1}}
	s.Traffic = nil
	for i, t := range c.scenario.Traffic {
		if c.peaks[i] == 0 {
			continue
		}
		t.Phases, t.Expect = nil, loadtest.Expect{}
		t.Pacing = loadtest.Pacing{Kind: loadtest.Constant, Rate: max(pace.MinRate, c.peaks[i]/c.total*rate)}
		t.Replay.Expect = loadtest.Expect{}
		t.Negatives = slices.Clone(t.Negatives)
		for j := range t.Negatives {
			t.Negatives[j].Expect = loadtest.Expect{}
		}
		s.Traffic = append(s.Traffic, t)
	}
	return &s
}
