package loadtest_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

const ms = time.Millisecond

// usual was due at 1 s, and late for every reason: the generator 3 ms and 2 ms,
// the target 20 ms. It took 50 ms, 40 of them to the first byte.
func usual() loadtest.Sample {
	return loadtest.Sample{Due: 1000 * ms, Ready: 1003 * ms, Slot: 1023 * ms, Sent: 1025 * ms, First: 1065 * ms, Done: 1075 * ms, Status: 202}
}

// never was not sent: it waited for a slot for a second, and was dropped.
func never() loadtest.Sample {
	return loadtest.Sample{Due: 1000 * ms, Ready: 1003 * ms, Done: 2003 * ms, Outcome: loadtest.Dropped}
}

func TestMeasuresOfASample(t *testing.T) {
	t.Parallel()
	own := loadtest.Sample{Due: 1000 * ms, Ready: 1003 * ms, Slot: 1004 * ms, Done: 1005 * ms, Outcome: loadtest.OwnFault}
	mute := usual()
	mute.First, mute.Outcome = 0, loadtest.TimedOut
	early := usual()
	early.Ready = 999 * ms // a timer may fire a moment too soon
	unasked := never()
	unasked.Ready = 0 // the run ended before its turn came
	const none = -1
	tests := map[string]struct {
		sample                                  loadtest.Sample
		response, service, ttfb, selfLag, waits time.Duration
	}{
		"answered":          {usual(), 75 * ms, 50 * ms, 40 * ms, 5 * ms, 20 * ms},
		"no first byte":     {mute, 75 * ms, 50 * ms, none, 5 * ms, 20 * ms},
		"never sent":        {never(), 1003 * ms, none, none, 3 * ms, 1000 * ms},
		"never its turn":    {unasked, 1003 * ms, none, none, none, none},
		"our own fault":     {own, none, none, none, 3 * ms, none},
		"a moment too soon": {early, 75 * ms, 50 * ms, 40 * ms, 2 * ms, 24 * ms},
	}
	for name, test := range tests {
		for metric, want := range map[loadtest.Metric]time.Duration{
			loadtest.MetricResponse: test.response, loadtest.MetricService: test.service, loadtest.MetricTTFB: test.ttfb,
			loadtest.MetricSelfLag: test.selfLag, loadtest.MetricSlotWait: test.waits, loadtest.MetricGap: none,
		} {
			got, ok := test.sample.Measure(metric)
			if ok != (want != none) || ok && got != want {
				t.Errorf("%s: %s is %s, %v; want %s", name, metric, got, ok, want)
			}
		}
	}
	s := never()
	if s.Service() != 0 || s.TTFB() != 0 {
		t.Errorf("never sent, and it took %s, %s to the first byte", s.Service(), s.TTFB())
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	t.Parallel()
	for o, want := range map[loadtest.Outcome]struct {
		name                       string
		failed, completes, answers bool
	}{
		loadtest.OK:         {"ok", false, true, true},
		loadtest.Unexpected: {"unexpected", true, true, true},
		loadtest.Broken:     {"broken", true, true, false},
		loadtest.TimedOut:   {"timeout", true, false, false},
		loadtest.Dropped:    {"dropped", true, false, false},
		loadtest.OwnFault:   {"own_fault", false, false, false},
	} {
		if o.String() != want.name || o.Failed() != want.failed || o.Completes() != want.completes || o.Answered() != want.answers {
			t.Errorf("%s: failed %v, completes %v, answered %v; want %+v", o, o.Failed(), o.Completes(), o.Answered(), want)
		}
	}
	if loadtest.Outcomes != 6 || loadtest.Outcome(loadtest.Outcomes).String() != "unknown" {
		t.Errorf("%d outcomes, and after them %s", loadtest.Outcomes, loadtest.Outcome(loadtest.Outcomes))
	}
}
