package hang_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/hang"
)

// seen is a look and what the rule is to make of it.
type seen struct {
	look  hang.Look
	mood  string
	since float64
	says  string
}

func TestRulesSeeWhatIsStuck(t *testing.T) {
	t.Parallel()
	silence := func() hang.Rule { return hang.Silence(2 * time.Second) }
	stall := func() hang.Rule { return hang.Stall(time.Second) }
	for name, c := range map[string]struct {
		rule  func() hang.Rule
		looks []seen
	}{
		"H1: young requests": {silence, []seen{{hang.Look{At: 10, Sent: []float64{8.5, 9}}, "unsure", 0, ""}}},
		"H1: old ones": {silence, []seen{
			{hang.Look{At: 10, Sent: []float64{7, 8, 9}}, "stuck", 7, "2 requests have had no first byte for 2s or more; the oldest is number 0 of hooks, sent at 7s"},
			{hang.Look{At: 11, Sent: []float64{7}}, "stuck", 7, "1 request has"},
			{hang.Look{At: 11, Completed: 1}, "calm", 0, ""},
		}},
		"H1: an answer that has begun": {silence, []seen{{hang.Look{At: 10, Answering: []float64{1}, Completed: 1}, "calm", 0, ""}}},
		"H1: stuck ones are given up, and others get stuck": {silence, []seen{
			{hang.Look{At: 10, Sent: []float64{6}}, "stuck", 6, ""},
			{hang.Look{At: 11, Sent: []float64{10.5}, Abandoned: 1, Last: 6}, "stuck", 6, "request 9 of hooks, sent at 6s, was given up"},
			{hang.Look{At: 12, Sent: []float64{10.5}, Abandoned: 1, Last: 6}, "unsure", 0, ""},
			{hang.Look{At: 13, Sent: []float64{10.5}, Abandoned: 1, Last: 6}, "stuck", 10.5, ""},
			{hang.Look{At: 14, Sent: []float64{13.9}, Abandoned: 1, Last: 6, Completed: 1}, "calm", 0, ""},
		}},
		"H1: this machine slept": {silence, []seen{
			{hang.Look{At: 100, Woke: 99, Sent: []float64{6}}, "unsure", 0, ""},
			{hang.Look{At: 101, Woke: 99, Sent: []float64{6}}, "stuck", 99, ""},
		}},

		"H2: nothing ends": {stall, []seen{
			{hang.Look{At: 10, Completed: 5, Sent: []float64{9.9}}, "calm", 0, ""},
			{hang.Look{At: 10.1, Completed: 5, Sent: []float64{9.9, 10}}, "unsure", 0, ""},
			{hang.Look{At: 11.1, Completed: 5, Sent: []float64{9.9, 10}}, "stuck", 10, "no request was completed for 1.1s, while 2 were out"},
			{hang.Look{At: 12, Completed: 5, Sent: []float64{11.9}}, "stuck", 10, "for 2s, while 1 was out"},
			{hang.Look{At: 12.1, Completed: 6, Sent: []float64{11.9}}, "calm", 0, ""},
			{hang.Look{At: 12.2, Completed: 6, Sent: []float64{11.9}}, "unsure", 0, ""},
		}},
		"H2: nothing is out": {stall, []seen{
			{hang.Look{At: 10}, "calm", 0, ""},
			{hang.Look{At: 20}, "calm", 0, ""},
			{hang.Look{At: 20.1, Sent: []float64{20.05}}, "unsure", 0, ""},
			{hang.Look{At: 21, Sent: []float64{20.05}}, "unsure", 0, ""},
			{hang.Look{At: 21.1, Sent: []float64{20.05}}, "stuck", 20.05, ""},
		}},
		"H2: something ends all the time": {stall, []seen{
			{hang.Look{At: 10, Completed: 1, Sent: []float64{1}}, "calm", 0, ""},
			{hang.Look{At: 11, Completed: 2, Sent: []float64{1}}, "calm", 0, ""},
			{hang.Look{At: 12, Completed: 3, Sent: []float64{1}}, "calm", 0, ""},
		}},
		"H2: this machine slept": {stall, []seen{
			{hang.Look{At: 10, Completed: 1, Sent: []float64{10}}, "calm", 0, ""},
			{hang.Look{At: 60, Woke: 60, Completed: 1, Sent: []float64{10}}, "unsure", 0, ""},
			{hang.Look{At: 61, Woke: 60, Completed: 1, Sent: []float64{10}}, "stuck", 60, ""},
		}},

		"H3: two failures": {hang.Probing, []seen{{hang.Look{At: 10, Failures: 2, Since: 8}, "calm", 0, ""}}},
		"H3: three": {hang.Probing, []seen{
			{hang.Look{At: 10, Failures: 3, Since: 8}, "stuck", 8, "3 fresh connections in a row were not answered: no answer"},
			{hang.Look{At: 10}, "calm", 0, ""},
		}},

		"H4: work waits and none is done": {hang.IdleWork, []seen{
			{hang.Look{At: 10, Queue: 3, Done: 7, Healthy: true}, "calm", 0, ""},
			{hang.Look{At: 19, Queue: 3, Done: 7, Healthy: true}, "unsure", 0, ""},
			{hang.Look{At: 20, Queue: 4, Done: 7, Healthy: true}, "stuck", 10, "4 wait in the queue, nothing was done for 10s"},
			{hang.Look{At: 21, Queue: 4, Done: 7, Gone: true, Healthy: true}, "unsure", 0, ""},
			{hang.Look{At: 25, Queue: 4, Done: 7, Healthy: true}, "stuck", 10, ""},
			{hang.Look{At: 26, Queue: 4, Done: 8, Healthy: true}, "calm", 0, ""},
			{hang.Look{At: 35, Queue: 4, Done: 8, Healthy: true}, "unsure", 0, ""},
		}},
		"H4: the queue was empty in between": {hang.IdleWork, []seen{
			{hang.Look{At: 10, Queue: 3, Done: 7, Healthy: true}, "calm", 0, ""},
			{hang.Look{At: 15, Queue: 0, Done: 7, Healthy: true}, "calm", 0, ""},
			{hang.Look{At: 24, Queue: 3, Done: 7, Healthy: true}, "unsure", 0, ""},
			{hang.Look{At: 25, Queue: 3, Done: 7, Healthy: true}, "stuck", 15, ""},
		}},
		"H4: the front is not well either": {hang.IdleWork, []seen{
			{hang.Look{At: 10, Queue: 3, Done: 7}, "calm", 0, ""},
			{hang.Look{At: 25, Queue: 3, Done: 7}, "unsure", 0, ""},
			{hang.Look{At: 26, Queue: 3, Done: 7, Healthy: true}, "stuck", 10, ""},
		}},
		"H4: this machine slept": {hang.IdleWork, []seen{
			{hang.Look{At: 10, Queue: 3, Done: 7, Healthy: true}, "calm", 0, ""},
			{hang.Look{At: 60, Woke: 55, Queue: 3, Done: 7, Healthy: true}, "unsure", 0, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := c.rule()
			for _, s := range c.looks {
				mood, since, text := rule.Look(s.look)
				if mood != s.mood || since != s.since || !strings.Contains(text, s.says) {
					t.Errorf("at %v: %s since %v, %q; want %s since %v, %q", s.look.At, mood, since, text, s.mood, s.since, s.says)
				}
			}
		})
	}
}

func TestRestIsWhereTheServiceWasBefore(t *testing.T) {
	t.Parallel()
	const untold = -1
	for name, c := range map[string]struct {
		inflight    int
		before, now [2]float64 // queue, goroutines
		want        string
	}{
		"all is back":            {0, [2]float64{0, 40}, [2]float64{0, 70}, ""},
		"a tenth more":           {0, [2]float64{100, 1000}, [2]float64{110, 1100}, ""},
		"requests are out":       {2, [2]float64{0, 40}, [2]float64{0, 40}, "2 requests are still out"},
		"a queue":                {1, [2]float64{0, 40}, [2]float64{1, 40}, "1 request is still out, 1 wait in the queue (0 before)"},
		"goroutines":             {0, [2]float64{0, 40}, [2]float64{0, 71}, "there are 71 goroutines (40 before)"},
		"nothing was known":      {0, [2]float64{untold, untold}, [2]float64{9, 9000}, ""},
		"metrics are gone since": {0, [2]float64{0, 40}, [2]float64{untold, untold}, "the queue is not told any more, goroutines are not told any more"},
	} {
		if got := hang.Back(c.inflight, c.before, c.now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDeadlockIsTheSameGoroutinesAtTheSamePlaces(t *testing.T) {
	t.Parallel()
	stack := func(id int64, state string, frames ...string) hang.Stack {
		return hang.Stack{ID: id, State: state, Frames: append([]string{"runtime.gopark", "sync.(*Mutex).Lock"}, frames...)}
	}
	a, b := stack(7, "sync.Mutex.Lock", "bank.a", "bank.serve"), stack(8, "sync.Mutex.Lock", "bank.b", "bank.serve")
	c, d := stack(9, "chan receive", "pool.take"), stack(10, "chan receive", "pool.take")
	for name, x := range map[string]struct {
		first, second, idle []hang.Stack
		want                string
	}{
		"two that wait for locks": {
			[]hang.Stack{a, b, c},
			[]hang.Stack{c, a, b},
			nil,
			"deadlock suspected: 2 goroutines wait for locks, at the same places in two dumps 5s apart: bank.a, bank.b",
		},
		"three":                        {[]hang.Stack{a, b, stack(3, "semacquire", "bank.a")}, []hang.Stack{stack(3, "semacquire", "bank.a"), a, b}, nil, "3 goroutines wait for locks, at the same places in two dumps 5s apart: 2 at bank.a, bank.b"},
		"one":                          {[]hang.Stack{a}, []hang.Stack{a}, nil, ""},
		"others":                       {[]hang.Stack{a, b}, []hang.Stack{stack(17, a.State, "bank.a"), stack(18, a.State, "bank.b")}, nil, ""},
		"elsewhere now":                {[]hang.Stack{a, b}, []hang.Stack{a, stack(8, b.State, "bank.c", "bank.serve")}, nil, ""},
		"another state":                {[]hang.Stack{a, b}, []hang.Stack{a, stack(8, "runnable", "bank.b", "bank.serve")}, nil, ""},
		"select is usual":              {[]hang.Stack{stack(1, "select", "x"), stack(2, "select", "x")}, []hang.Stack{stack(1, "select", "x"), stack(2, "select", "x")}, nil, ""},
		"channels":                     {[]hang.Stack{c, d}, []hang.Stack{c, d}, nil, "2 goroutines wait on channels, at the same places in two dumps 5s apart: 2 at pool.take"},
		"channels, as before the load": {[]hang.Stack{c, d}, []hang.Stack{c, d}, []hang.Stack{c}, ""},
		"without numbers":              {[]hang.Stack{stack(0, a.State, "x"), stack(0, a.State, "x")}, []hang.Stack{stack(0, a.State, "x"), stack(0, a.State, "x")}, nil, ""},
	} {
		if got := hang.Suspect(x.first, x.second, x.idle, 5*time.Second); x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestProcessesThatDoNotMoveAreExplained(t *testing.T) {
	t.Parallel()
	master := []hang.Thread{{'S', "poll_schedule_timeout", 9}}
	futex, poll := hang.Thread{'S', "futex_do_wait", 5}, hang.Thread{'S', "ep_poll", 5}
	type look = [][]hang.Thread
	for name, c := range map[string]struct {
		first, second look
		want          string
	}{
		"a lock":         {look{master, {futex}, {futex}}, look{master, {futex}, {futex}}, "2 of 2 workers waiting in futex_do_wait without using CPU for 5s: looks like a lock"},
		"one of two":     {look{master, {futex}, {poll}}, look{master, {futex}, {poll}}, "1 of 2 workers waiting in futex_do_wait"},
		"helpers":        {look{master, {poll, futex, futex}}, look{master, {poll, futex, futex}}, "1 of 1 worker with threads waiting in futex_do_wait"},
		"all alone":      {look{{futex}}, look{{futex}}, "1 of 1 worker waiting in futex_do_wait"},
		"it moves":       {look{master, {futex}}, look{master, {{'S', "futex_do_wait", 6}}}, ""},
		"for nothing":    {look{master, {poll}}, look{master, {poll}}, "they wait for something to do"},
		"stopped":        {look{master, {futex}, {{'T', "do_signal_stop", 5}}}, look{master, {futex}, {{'T', "do_signal_stop", 5}}}, "1 of 2 workers stopped for 5s"},
		"a loop":         {look{master, {{'R', "", 5}}}, look{master, {{'R', "", 505}}}, "1 of 1 worker using a CPU for 5s: looks like an endless loop"},
		"woken twice":    {look{master, {{'R', "", 5}, futex}}, look{master, {{'R', "", 7}, futex}}, "looks like a lock"},
		"a peer":         {look{master, {{'S', "wait_woken", 5}}}, look{master, {{'S', "wait_woken", 5}}}, "somebody else who does not answer"},
		"a disk":         {look{master, {{'D', "folio_wait_bit", 5}}}, look{master, {{'D', "folio_wait_bit", 5}}}, "a disk"},
		"not to be seen": {look{master, {{'S', "", 5}}}, look{master, {{'S', "", 5}}}, ""},
		"a new one":      {look{master}, look{master, {futex}}, ""},
		"nobody":         {nil, nil, ""},
	} {
		if got := hang.Waits(c.first, c.second, 5*time.Second); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLimitsFollowTheTightestThreshold(t *testing.T) {
	t.Parallel()
	p := func(q, limit float64, metric loadtest.Metric) loadtest.Threshold {
		return loadtest.Threshold{Aggregate: loadtest.Quantile, Q: q, Metric: metric, Limit: limit, Unit: loadtest.Seconds}
	}
	for name, c := range map[string]struct {
		scenario loadtest.Scenario
		want     time.Duration
	}{
		"none":                       {loadtest.Scenario{}, 2 * time.Second},
		"a p99":                      {loadtest.Scenario{Thresholds: []loadtest.Threshold{p(0.99, 0.5, "response"), p(0.999, 0.2, "service"), p(0.5, 0.1, "response"), p(0.99, 0.1, "self_lag")}}, 4 * time.Second},
		"a tight one":                {loadtest.Scenario{Thresholds: []loadtest.Threshold{p(0.99, 0.05, "response")}}, 2 * time.Second},
		"given up before":            {loadtest.Scenario{Client: loadtest.Client{Timeout: 5 * time.Second}, Thresholds: []loadtest.Threshold{p(0.99, 1, "response")}}, 5 * time.Second},
		"given up in no time":        {loadtest.Scenario{Client: loadtest.Client{Timeout: time.Second}}, 2 * time.Second},
		"as the scenario says":       {loadtest.Scenario{Hang: loadtest.Hang{After: time.Minute}}, time.Minute},
		"of the server, not of ours": {loadtest.Scenario{Thresholds: []loadtest.Threshold{{Server: true, Aggregate: loadtest.Quantile, Q: 0.99, Metric: "response", Limit: 1, Unit: loadtest.Seconds}}}, 2 * time.Second},
	} {
		if got := hang.Limits(&c.scenario); got.After != c.want || got.Gap == 0 || got.Drain == 0 {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
	given := loadtest.Hang{After: 1, Gap: 2, Drain: 3, Queue: "q", Progress: "p", Probe: "/", Tolerate: true}
	if diff := cmp.Diff(given, hang.Limits(&loadtest.Scenario{Hang: given})); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}
