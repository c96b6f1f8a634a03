package spec_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/spec"
)

var withoutText = cmpopts.IgnoreFields(loadtest.Threshold{}, "Text")

func TestThresholdsAreRead(t *testing.T) {
	t.Parallel()
	type th = loadtest.Threshold
	web := []loadtest.Label{{Name: "scenario", Value: "web"}}
	for text, want := range map[string]th{
		"p99(response{scenario=web}) < 50ms in steady":     {Aggregate: "p", Q: 0.99, Metric: "response", Labels: web, Compare: "<", Limit: 0.05, Unit: "s", Phase: "steady"},
		"p99.9(service) <= 20us":                           {Aggregate: "p", Q: 0.999, Metric: "service", Compare: "<=", Limit: 0.00002, Unit: "s"},
		"p50(ttfb) < 2s":                                   {Aggregate: "p", Q: 0.5, Metric: "ttfb", Compare: "<", Limit: 2, Unit: "s"},
		"ratio(failed{scenario=web}) <= 0.1% in steady":    {Aggregate: "ratio", Metric: "failed", Labels: web, Compare: "<=", Limit: 0.001, Unit: "%", Phase: "steady"},
		"count(lost) == 0":                                 {Aggregate: "count", Metric: "lost", Compare: "=="},
		"rate(sent) >= 99.5/s":                             {Aggregate: "rate", Metric: "sent", Compare: ">=", Limit: 99.5, Unit: "/s"},
		"max(gap) < 1s outside faults":                     {Aggregate: "max", Metric: "gap", Compare: "<", Limit: 1, Unit: "s", Outside: true},
		"max(gap) < 1s in fault(freeze)":                   {Aggregate: "max", Metric: "gap", Compare: "<", Limit: 1, Unit: "s", InFault: "freeze"},
		"max(gap) < 1s in fault":                           {Aggregate: "max", Metric: "gap", Compare: "<", Limit: 1, Unit: "s", Phase: "fault"},
		"p99(response) < 500ms over 10s in steady, abort":  {Aggregate: "p", Q: 0.99, Metric: "response", Compare: "<", Limit: 0.5, Unit: "s", Over: 10 * time.Second, Phase: "steady", Abort: 1},
		"mean(response) > 1ms over 1m30s , abort after 3":  {Aggregate: "mean", Metric: "response", Compare: ">", Limit: 0.001, Unit: "s", Over: 90 * time.Second, Abort: 3},
		"recover(freeze) < 5s":                             {Aggregate: "recover", Fault: "freeze", Compare: "<", Limit: 5, Unit: "s"},
		"slope(server.heap_live) < 4MiB/h":                 {Aggregate: "slope", Server: true, Metric: "heap_live", Compare: "<", Limit: 4 << 20, Unit: "B", PerHour: true},
		"slope(rss) < 1GiB/h":                              {Aggregate: "slope", Server: true, Metric: "rss", Compare: "<", Limit: 1 << 30, Unit: "B", PerHour: true},
		"slope(goroutines) < 10/h":                         {Aggregate: "slope", Server: true, Metric: "goroutines", Compare: "<", Limit: 10, PerHour: true},
		"delta(rss) < 512B":                                {Aggregate: "delta", Server: true, Metric: "rss", Compare: "<", Limit: 512, Unit: "B"},
		"max(server.queue_depth) < 5":                      {Aggregate: "max", Server: true, Metric: "queue_depth", Compare: "<", Limit: 5},
		"max(server.cache:hits) < 5%":                      {Aggregate: "max", Server: true, Metric: "cache:hits", Compare: "<", Limit: 0.05, Unit: "%"},
		"mean(server.http_seconds) < 5ms":                  {Aggregate: "mean", Server: true, Metric: "http_seconds", Compare: "<", Limit: 0.005, Unit: "s"},
		"delta(server.sent_bytes_total) < 1KiB":            {Aggregate: "delta", Server: true, Metric: "sent_bytes_total", Compare: "<", Limit: 1024, Unit: "B"},
		"rate(server.sent_bytes_total) < 1000/s":           {Aggregate: "rate", Server: true, Metric: "sent_bytes_total", Compare: "<", Limit: 1000, Unit: "/s"},
		`server.p99(http_seconds{route="/hooks/a"}) < 1ms`: {Aggregate: "p", Q: 0.99, Server: true, Metric: "http_seconds", Labels: []loadtest.Label{{Name: "route", Value: "/hooks/a"}}, Compare: "<", Limit: 0.001, Unit: "s"},
		"  p99 ( response { scenario = web } )<50ms  over  1s  in  steady  ,  abort  after  2  ": {
			Aggregate: "p", Q: 0.99, Metric: "response", Labels: web, Compare: "<", Limit: 0.05, Unit: "s", Over: time.Second, Phase: "steady", Abort: 2,
		},
		"count(sent{variant=replay,outcome=ok,code=2xx}) >= 1": {
			Aggregate: "count", Metric: "sent", Compare: ">=", Limit: 1, Labels: []loadtest.Label{{Name: "variant", Value: "replay"}, {Name: "outcome", Value: "ok"}, {Name: "code", Value: "2xx"}},
		},
		"p95(goroutines) < 50":         {Aggregate: "p", Q: 0.95, Server: true, Metric: "goroutines", Compare: "<", Limit: 50},
		"max(goroutines) < 50 over 2s": {Aggregate: "max", Server: true, Metric: "goroutines", Compare: "<", Limit: 50, Over: 2 * time.Second},
		`max(server.x{a="\"q\\\n",b=c.d-e/f}) < 1 in x`: {
			Aggregate: "max", Server: true, Metric: "x", Compare: "<", Limit: 1, Phase: "x",
			Labels: []loadtest.Label{{Name: "a", Value: "\"q\\\n"}, {Name: "b", Value: "c.d-e/f"}},
		},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := spec.ParseThreshold(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, withoutText); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			again, err := spec.ParseThreshold(spec.FormatThreshold(got))
			if err != nil {
				t.Fatalf("%s: %v", spec.FormatThreshold(got), err)
			}
			if diff := cmp.Diff(got, again, withoutText); diff != "" {
				t.Errorf("read again from %s: -before +after\n%s", spec.FormatThreshold(got), diff)
			}
		})
	}
}

func TestThresholdsAreRefusedInTheseWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// what is measured
		"":                           `column 1: expected what is measured, found the end; write one like p99(response) < 50ms`,
		"< 50ms":                     `column 1: expected what is measured, found "< 50ms"; write one like p99(response) < 50ms`,
		"p100(response) < 1s":        `column 1: p100 is no percentile; write p50, p99 or p99.9; the highest value is max`,
		"p999(response) < 1s":        `column 1: p999 is no percentile; write p50, p99 or p99.9; the highest value is max`,
		"p0(response) < 1s":          `column 1: p0 is no percentile; write p50, p99 or p99.9; the highest value is max`,
		"p(response) < 1s":           `column 1: unknown aggregate p; there are percentiles like p99, and mean, max, min, count, rate, ratio, slope, delta, recover`,
		"meen(response) < 1s":        `column 1: unknown aggregate meen; did you mean mean?`,
		"average(response) < 1s":     `column 1: unknown aggregate average; there are percentiles like p99, and mean, max, min, count, rate, ratio, slope, delta, recover`,
		"p99 < 1s":                   `column 5: expected ( after p99, found "< 1s"; write p99(response)`,
		"p99(response < 1s":          `column 14: expected ), found "< 1s"; write ) after what is measured`,
		"p99() < 1s":                 `column 5: expected a metric, found ") < 1s"; write one like response; metrics of the service are written server.NAME`,
		"p99(respones) < 1s":         `column 5: unknown metric respones; did you mean response?`,
		"max(queue_depth) < 1":       `column 5: unknown metric queue_depth; metrics of the service are written server.queue_depth; ours are response, service, self_lag, slot_wait, ttfb, gap, failed, dropped, sent, inflight, lost, duplicate_jobs, unknown, refused_but_processed, hangs, rss, heap_live, goroutines, fds, threads`,
		"max(server.5) < 1":          `column 5: expected a metric, found ") < 1"; write one like response; metrics of the service are written server.NAME`,
		"recover() < 5s":             `column 9: expected the name of a fault, found ") < 5s"; write recover(NAME)`,
		"server.recover(f) < 5s":     `column 8: recover is of a fault; leave server. out`,
		"p99(response{}) < 1s":       `column 14: expected a label, found "}) < 1s"; write {scenario=NAME}, or {label="value"} of a metric of the service`,
		"p99(response{scenario) < 1": `column 22: expected = after label scenario, found ") < 1"; write scenario=VALUE`,
		"p99(response{scenario=}) <": `column 23: expected a value, found "}) <"; write a word, or any text in double quotes`,
		`p99(response{scenario="a`:   `column 23: a value in quotes has no end; write " after it`,
		`p99(response{scenario="a\`:  `column 23: a value in quotes has no end; write " after it`,
		`p99(response{scenario="\d"`: `column 25: \d stands for nothing; write \\ for a backslash`,
		"max(server.x{a=b c=d}) < 1": `column 18: expected , or }, found "c=d}) < 1"; write , before another label, and } after the last`,
		"max(server.x{a=b,a=c}) < 1": `column 18: label a is given twice; keep one of the two`,
		// limits
		"p99(response)":                       `column 14: expected a comparison, found the end; write <, <=, >, >= or ==, and a limit`,
		"p99(response) = 5ms":                 `column 15: expected a comparison, found "= 5ms"; write <, <=, >, >= or ==, and a limit`,
		"p99(response) <":                     `column 16: expected a limit, found the end; write digits, and a unit: 50ms, 0.1%, 4MiB, 10/h`,
		"p99(response) < -5ms":                `column 17: expected a limit, found "-5ms"; write digits, and a unit: 50ms, 0.1%, 4MiB, 10/h`,
		"p99(response) < .5s":                 `column 17: expected a limit, found ".5s"; write digits, and a unit: 50ms, 0.1%, 4MiB, 10/h`,
		"p99(response) < 5mss":                `column 18: unknown unit mss; units are us, ms, s, %, /s, B, KiB, MiB, GiB; of a slope one of them, or none, and /h`,
		"p99(response) < 5 min":               `column 19: unknown unit min; units are us, ms, s, %, /s, B, KiB, MiB, GiB; of a slope one of them, or none, and /h`,
		"p99(response) < 50":                  `column 17: p99 of response is a time; write it with its unit, like < 50ms`,
		"p99.9(response) < 50%":               `column 19: p99.9 of response is a time; write it with its unit, like < 50ms`,
		"p99(response) < 50ms/h":              `column 17: p99 of response is a time; write it with its unit, like < 50ms`,
		"ratio(failed) < 0.01":                `column 17: ratio of failed is a share; write it with its unit, like < 0.1%`,
		"ratio(failed) < 200%":                `column 17: a share of 200% cannot be; write at most 100%`,
		"rate(failed) < 5":                    `column 16: rate of failed is a rate; write it with its unit, like < 5/s`,
		"count(failed) < 5%":                  `column 17: count of failed is a number; write it with its unit, like < 10`,
		"slope(rss) < 4MiB":                   `column 14: slope of rss is a size per hour; write it with its unit, like < 4MiB/h`,
		"slope(fds) < 4":                      `column 14: slope of fds is a number per hour; write it with its unit, like < 10/h`,
		"max(rss) < 400":                      `column 12: max of rss is a size; write it with its unit, like < 4MiB`,
		"max(server.x_seconds) < 5":           `column 25: max of x_seconds is a time; write it with its unit, like < 50ms`,
		"max(server.x_bytes) < 5":             `column 23: max of x_bytes is a size; write it with its unit, like < 4MiB`,
		"delta(server.x) < 5/s":               `column 19: delta of x is a number; write it with its unit, like < 10`,
		"recover(f) < 5":                      `column 14: recover of f is a time; write it with its unit, like < 50ms`,
		"max(server.x) < 9999999999999999999": `column 17: a limit of 9999999999999999999 is out of range; write a smaller one`,
		"p99(response) == 5ms":                `column 15: no time is ever exactly 5ms; write <= or >=`,
		"recover(f) > 5s":                     `column 12: recover has an upper limit; write <`,
		// what goes together
		"ratio(response) < 5%":                 `column 1: response has no ratio; write percentile like p99, mean, max, min`,
		"p99(failed) < 5":                      `column 1: failed has no percentile like p99; write count, rate, ratio`,
		"mean(gap) < 1s":                       `column 1: gap has no mean; write max`,
		"rate(lost) < 1/s":                     `column 1: lost has no rate; write count`,
		"count(server.x) < 1":                  `column 1: x has no count; write percentile like p99, mean, max, min, rate, slope, delta`,
		"count(lost) == 0 in steady":           `column 21: lost is of the whole run; leave it out`,
		"count(lost{scenario=web}) == 0":       `column 12: lost is of all scenarios; leave it out`,
		"count(hangs) == 0 over 1s":            `column 24: hangs is of the whole run; leave it out`,
		"slope(rss) < 1MiB/h over 10s":         `column 26: a slope has no windows; leave over out`,
		"max(rss{scenario=web}) < 1MiB":        `column 9: rss has no labels; leave it out`,
		"p99(response{route=a}) < 1s":          `column 14: unknown label route; labels of response are scenario, variant, outcome, code`,
		"p99(response{scenaro=a}) < 1s":        `column 14: unknown label scenaro; did you mean scenario?`,
		"max(gap{outcome=ok}) < 1s":            `column 9: unknown label outcome; labels of gap are scenario, variant`,
		"count(failed{outcome=timeouts}) < 1":  `column 14: there is no outcome timeouts; did you mean timeout?`,
		"count(failed{outcome=own_fault}) < 1": `column 14: there is no outcome own_fault; there are ok, unexpected, broken, timeout, dropped`,
		"count(sent{code=600}) < 1":            `column 12: 600 is not the status of an answer; write code=503, or code=5xx for all of them`,
		"recover(f) < 5s in steady":            `column 20: recover counts from the end of the fault, wherever that is; leave it out`,
		"recover(f) < 5s over 1s":              `column 22: recover counts from the end of the fault, wherever that is; leave it out`,
		"max(gap) < 1s, abort":                 `column 16: abort needs windows; write over 10s before it: so many windows in a row must fail`,
		// tails
		"max(gap) < 1s over":                    `column 19: "" is no length of windows; write a duration from 1s to 24h, like over 10s`,
		"max(gap) < 1s over 10":                 `column 20: "10" is no length of windows; write a duration from 1s to 24h, like over 10s`,
		"max(gap) < 1s over 1ms":                `column 20: "1ms" is no length of windows; write a duration from 1s to 24h, like over 10s`,
		"max(gap) < 1s in":                      `column 17: expected the name of a phase, found the end; write in PHASE, or in fault(NAME)`,
		"max(gap) < 1s in fault()":              `column 24: expected the name of a fault, found ")"; write in fault(NAME)`,
		"max(gap) < 1s in fault(f":              `column 25: expected ), found the end; write ) after the name of the fault`,
		"max(gap) < 1s outside":                 `column 22: expected faults, found the end; write outside faults`,
		"max(gap) < 1s over 1s,":                `column 23: expected abort, found the end; write , abort or , abort after 3`,
		"max(gap) < 1s over 1s, abort after":    `column 35: expected a number of windows, found the end; write how many failing windows in a row, from 1 to 1000`,
		"max(gap) < 1s over 1s, abort after 0":  `column 36: expected a number of windows, found "0"; write how many failing windows in a row, from 1 to 1000`,
		"max(gap) < 1s in steady over 1s":       `column 25: unexpected "over 1s"; after the limit there may be: over 10s, then in PHASE, in fault(NAME) or outside faults, then , abort after 3`,
		"max(gap) < 1s und so weiter":           `column 15: unexpected "und so weiter"; after the limit there may be: over 10s, then in PHASE, in fault(NAME) or outside faults, then , abort after 3`,
		"max(größe) < 1s":                       `column 5: unknown metric gr; metrics of the service are written server.gr; ours are response, service, self_lag, slot_wait, ttfb, gap, failed, dropped, sent, inflight, lost, duplicate_jobs, unknown, refused_but_processed, hangs, rss, heap_live, goroutines, fds, threads`,
		`max(server.x{a="größe"}) < 1 in größe`: `column 35: unexpected "öße"; after the limit there may be: over 10s, then in PHASE, in fault(NAME) or outside faults, then , abort after 3`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := spec.ParseThreshold(text)
			var wrong *spec.ThresholdError
			if !errors.As(err, &wrong) || wrong.Error() != want {
				t.Errorf("ParseThreshold\n got  %v\n want %s", err, want)
			}
		})
	}
}

// TestRandomThresholdsPrintBack makes thresholds by chance, prints and reads them.
func TestRandomThresholdsPrintBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		want := randomThreshold(rand.New(rand.NewPCG(seed, 1)))
		text := spec.FormatThreshold(want)
		got, err := spec.ParseThreshold(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if diff := cmp.Diff(want, got, withoutText); diff != "" {
			t.Fatalf("seed %d: %s: -want +got\n%s", seed, text, diff)
		}
	}
}

func randomThreshold(r *rand.Rand) loadtest.Threshold {
	t := loadtest.Threshold{Compare: []loadtest.Comparison{"<", "<=", ">", ">="}[r.IntN(4)]}
	switch r.IntN(5) {
	case 0:
		t.Aggregate, t.Q, t.Metric, t.Unit = loadtest.Quantile, float64(1+r.IntN(9998))/10000, loadtest.MetricResponse, loadtest.Seconds
		t.Limit = r.ExpFloat64() / 1000
	case 1:
		t.Aggregate, t.Metric, t.Unit, t.Limit = loadtest.Ratio, loadtest.MetricFailed, loadtest.Share, r.Float64()
	case 2:
		t.Aggregate, t.Metric, t.Unit, t.Server, t.PerHour = loadtest.Slope, loadtest.MetricRSS, loadtest.Bytes, true, true
		t.Limit = float64(r.Int64N(1 << 40))
	case 3:
		t.Aggregate, t.Metric, t.Server, t.Limit = loadtest.Max, "queue_depth", true, r.ExpFloat64()*1000
		for i := range r.IntN(3) {
			value := make([]rune, r.IntN(5))
			for j := range value {
				value[j] = []rune("ab\"\\\n=,} ä/")[r.IntN(11)]
			}
			t.Labels = append(t.Labels, loadtest.Label{Name: fmt.Sprintf("l%d", i), Value: string(value)})
		}
	case 4:
		t.Aggregate, t.Metric, t.Unit, t.Limit = loadtest.Rate, loadtest.MetricSent, loadtest.PerSecond, r.ExpFloat64()*1e6
	}
	if t.Aggregate != loadtest.Slope && r.IntN(2) == 0 {
		t.Over, t.Abort = time.Second+time.Duration(r.Int64N(int64(time.Hour))), r.IntN(3)
	}
	switch r.IntN(4) {
	case 0:
		t.Phase = "in"
	case 1:
		t.InFault = "fault"
	case 2:
		t.Outside = true
	}
	return t
}

func FuzzParseThreshold(f *testing.F) {
	for _, text := range []string{
		"p99(response{scenario=web}) < 50ms over 10s in steady, abort after 3", "recover(freeze) < 5s", "slope(server.heap_live) < 4MiB/h",
		`server.p99(x_seconds{route="/a\"b"}) < 30ms in fault(x)`, "ratio(failed) <= 0.1% outside faults", "count(lost) == 0",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := spec.ParseThreshold(text)
		var wrong *spec.ThresholdError
		if errors.As(err, &wrong) {
			if wrong.Column < 1 || wrong.Column > len([]rune(text))+1 || wrong.What == "" || wrong.Do == "" {
				t.Fatalf("no position, or no advice: %+v", wrong)
			}
			return
		}
		printed := spec.FormatThreshold(first)
		again, err := spec.ParseThreshold(printed)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", text, printed, err)
		}
		if diff := cmp.Diff(first, again, withoutText); diff != "" {
			t.Fatalf("%q prints as %q: -before +after\n%s", text, printed, diff)
		}
	})
}
