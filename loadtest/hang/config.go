package hang

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

const (
	shortestAfter = 2 * time.Second // before a request counts as stuck
	timesLimit    = 20              // as long as the tightest p99 allows
	standardGap   = time.Second
	standardDrain = 30 * time.Second
	standardApart = 5 * time.Second
)

// Config says what is watched. Zero fields are defaults.
type Config struct {
	Scenario *loadtest.Scenario // Hang, Target, Client, Thresholds
	// Since is the time since the start of the run; safe for several goroutines.
	// Until the load starts it may count from far below zero, and then jump to zero.
	Since func() time.Duration
	// Inflight returns the requests that are out, oldest first; it may leave
	// out younger ones. It is called ten times a second.
	Inflight func() []Request
	// Observer has the queue, the progress and the goroutines of the service.
	// nil: H4 is not watched, and H5 only looks at our own requests.
	Observer *observe.Observer
	// Parse reads a goroutine dump, and says in a sentence what is wrong in it.
	// nil: dumps are kept, but not compared.
	Parse func(dump []byte) (stacks []Stack, verdict string)
	// Ask asks a process of the target for its goroutine dump, in a way that it
	// outlives, if no pprof is named. nil: nobody can. It is called for several at once.
	Ask func(ctx context.Context, pid int) (dump []byte, err error)
	// Incidents is asked for what the service itself knows. "": nothing.
	Incidents loadtest.Endpoint
	// Dir is the report's directory; evidence becomes files below it. "": there is none.
	Dir string
	// AllowSIGQUIT says that a Go program whose pprof does not answer may be
	// ended to get its dump.
	AllowSIGQUIT bool
	Apart        time.Duration // between the two dumps; 5 s
	// Event is told when a hang begins. It must not block. nil: nobody.
	Event func(loadtest.HangReport)
	Log   *slog.Logger // nil: nobody
}

// Limits returns the hang rules of a scenario with defaults filled in. A
// request counts as stuck no later than when it is given up, unless the client
// gives up within two seconds: that is a matter of taste, and no proof.
func Limits(s *loadtest.Scenario) loadtest.Hang {
	h := s.Hang
	if h.After == 0 {
		h.After = timesLimit * tightest(s.Thresholds)
		if s.Client.Timeout > 0 {
			h.After = min(h.After, s.Client.Timeout)
		}
		h.After = max(h.After, shortestAfter)
	}
	h.Gap = cmp.Or(h.Gap, standardGap)
	h.Drain = cmp.Or(h.Drain, standardDrain)
	return h
}

// tightest returns the shortest limit on a p99 or beyond, 0 if there is none.
func tightest(thresholds []loadtest.Threshold) time.Duration {
	var limit time.Duration
	for _, t := range thresholds {
		if t.Server || t.Aggregate != loadtest.Quantile || t.Q < 0.99 || t.Unit != loadtest.Seconds {
			continue
		}
		if t.Metric != loadtest.MetricResponse && t.Metric != loadtest.MetricService {
			continue
		}
		if d := time.Duration(t.Limit * float64(time.Second)); limit == 0 || d < limit {
			limit = d
		}
	}
	return limit
}

// complete checks c and fills in what is not said.
func (c *Config) complete() error {
	if c.Scenario == nil || c.Since == nil || c.Inflight == nil {
		return errors.New("hang: Scenario, Since or Inflight is missing")
	}
	if c.Event == nil {
		c.Event = func(loadtest.HangReport) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Apart = cmp.Or(c.Apart, standardApart)
	return nil
}

// probeURL is what the prober asks for; "" if it does not.
func probeURL(s *loadtest.Scenario) (string, error) {
	if s.Hang.Probe == "" {
		return "", nil
	}
	base, err := url.Parse(s.Target.BaseURL)
	if err != nil || base.Host == "" {
		return "", errors.New("hang: the base_url is no address")
	}
	ref, err := url.Parse(s.Hang.Probe)
	if err != nil {
		return "", errors.New("hang: the path of the probe is none; write for example /healthz")
	}
	return base.ResolveReference(ref).String(), nil
}
