package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var values []time.Duration
	for i := range 100 {
		values = append(values, time.Duration(100-i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 0.991: 100, 1: 100} {
		if got := percentile(values, q); got != want {
			t.Errorf("percentile %v: %d, want %d", q, got, want)
		}
	}
	if percentile(nil, 0.5) != 0 || percentile([]time.Duration{7}, 0.99) != 7 {
		t.Error("percentile of few")
	}
	if median([]float64{3, 1, 2, 5, 4}) != 3 {
		t.Error("median")
	}
}

// every returns health checks, one each 10 ms up to end, changed by change.
func every(end time.Duration, change func(s *sample)) []sample {
	var samples []sample
	for at := time.Duration(0); at <= end; at += 10 * time.Millisecond {
		s := sample{At: at, Took: time.Millisecond, answer: answer{Outcome: okay}}
		if change != nil {
			change(&s)
		}
		samples = append(samples, s)
	}
	return samples
}

func during(from, to time.Duration, change func(s *sample)) func(*sample) {
	return func(s *sample) {
		if s.At >= from && s.At < to {
			change(s)
		}
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	const fault = 3 * time.Second
	delayed := func(s *sample) { s.Took = time.Second }
	failed := func(s *sample) { s.Outcome = closed }
	for name, c := range map[string]struct {
		change func(*sample)
		want   time.Duration
	}{
		"never disturbed":             {nil, 0},
		"a pause of the machine":      {during(4*time.Second, 5*time.Second, func(s *sample) { s.Took = 40 * time.Millisecond }), 0},
		"one late request":            {during(4*time.Second, 4*time.Second+10*time.Millisecond, delayed), 0},
		"late for a second":           {during(4*time.Second, 5*time.Second, delayed), 2 * time.Second},
		"one failure":                 {during(4*time.Second, 4*time.Second+10*time.Millisecond, failed), 1100 * time.Millisecond},
		"sick to the end":             {during(4*time.Second, time.Minute, failed), -1},
		"sick until just before":      {during(4*time.Second, 9500*time.Millisecond, failed), -1},
		"sick before, that is no sin": {during(0, fault, failed), 0},
	} {
		if got := recovered(every(10*time.Second, c.change), fault); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestImpact(t *testing.T) {
	t.Parallel()
	const fault = 3 * time.Second
	sick := func(s *sample) {
		switch s.At {
		case 2990 * time.Millisecond, 3010 * time.Millisecond:
			s.Outcome = "504"
			s.Took = 2 * time.Second
		case 3100 * time.Millisecond:
			s.Outcome = closed
		case 4 * time.Second:
			s.Took = 300 * time.Millisecond
		case 5 * time.Second:
			s.Took = 1100 * time.Millisecond
		case 6 * time.Second:
			s.Took, s.Own = 1100*time.Millisecond, 900*time.Millisecond
		}
	}
	im := assess(every(10*time.Second, sick), fault, 0)
	if diff := cmp.Diff(tally{"504": 2, closed: 1}, im.Failed); diff != "" || im.Lost.total() != 0 {
		t.Errorf("nothing may be lost: %s; %s", diff, im.Lost)
	}
	im = assess(every(10*time.Second, sick), fault, fault+20*time.Millisecond)
	want := impact{
		Requests: 1001, Failed: tally{closed: 1}, Lost: tally{"504": 2}, Slow: 2, VerySlow: 1,
		Worst: 1100 * time.Millisecond, Own: 900 * time.Millisecond, Recovered: im.Recovered,
	}
	if diff := cmp.Diff(want, im); diff != "" {
		t.Error(diff)
	}
}

func TestTalliesAreReadable(t *testing.T) {
	t.Parallel()
	if got := (tally{"504": 3, closed: 1}).String(); got != "3×504 1×closed" {
		t.Error(got)
	}
}

func TestAnswersAreMeasured(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nX: y\r\n":                                0,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n":               40,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Pid: 1\r\n\r\nok": 50,
		"HTTP/1.1 504 OK\r\nContent-Length: 2\r\n\r\nok":             -1,
		"HTTP/1.1 200 OK\r\nX: y\r\n\r\n":                            -1,
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n":               -1,
	} {
		got, err := answerSize([]byte(text))
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
