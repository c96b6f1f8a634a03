package spec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest/pace"
	"github.com/seadog/seadog/loadtest/spec"
)

const planned = `version: 1
name: planned
seed: 7
repeat: 3
target: {base_url: "http://127.0.0.1:8080", metrics: {url: /metrics}, ledger: {counter: jobs_total}}
client: {fresh_conns: true, max_inflight: 300, catch_up: unlimited}
phases:
  - {name: warmup, for: 10s, judged: false, scale: 0.5}
  - {name: steady, for: 2m}
  - {name: faults, for: 1m}
  - {name: drain, for: 30s, load: none}
scenarios:
  - name: orders
    pacing: {kind: constant, rate: 100/s}
    request: {path: /, body: {text: "0123456789", size: 2KiB..4KiB}, id: {header: X-Id}}
    replay: {share: 10%}
    negative: [{name: large, share: 1%, mutate: body(1MiB), expect: {status: [413]}}]
  - name: rush
    phases: [steady]
    judged: false
    pacing: {kind: spike, base: 10/s, peak: 1000/s, at: 60s, for: 10s}
    request: {path: /}
faults:
  - {name: freeze, phase: faults, at: 10s, for: 5s, every: 20s, do: {kind: stop, target: worker}}
  - {name: slow, phase: faults, at: 12s, for: 10s, do: {kind: latency, target: db, latency: 20ms, share: 10%}}
thresholds:
  - p99.9(response) < 500ms
  - p99(response{scenario=rush}) < 1s over 5s in steady
  - p90(response) < 50ms over 2s in faults
  - ratio(failed) <= 1% in fault(freeze)
  - max(gap) < 1s outside faults
  - recover(freeze) < 5s
  - count(lost) == 0
  - slope(rss) < 4MiB/h in faults
  - max(server.queue_depth) < 5 over 10s
`

func TestAPlanSaysWhatWillBeSent(t *testing.T) {
	t.Parallel()
	p := plan(t, planned)
	wantPhases := []spec.PhasePlan{
		{Name: "warmup", For: 10 * time.Second, Scale: 0.5, Hits: 500, Peak: 50, Loads: []spec.LoadPlan{{"orders", 500, 50}}},
		{Name: "steady", Begins: 10 * time.Second, For: 2 * time.Minute, Judged: true, Scale: 1, Hits: 23100, Peak: 1100, Loads: []spec.LoadPlan{{"orders", 12000, 100}, {"rush", 11100, 1000}}},
		{Name: "faults", Begins: 130 * time.Second, For: time.Minute, Judged: true, Scale: 1, Hits: 6000, Peak: 100, Loads: []spec.LoadPlan{{"orders", 6000, 100}}},
		{Name: "drain", Begins: 190 * time.Second, For: 30 * time.Second, Judged: true},
	}
	if diff := cmp.Diff(wantPhases, p.Phases); diff != "" {
		t.Errorf("phases: -want +got\n%s", diff)
	}
	wantTraffic := []spec.TrafficPlan{
		{Name: "orders", Pacing: "constant", Judged: true, Hits: 18500, Peak: 100, Bytes: 18500*3072 + 185*(1<<20-3072), Repeated: 1850, Negatives: 185},
		{Name: "rush", Pacing: "spike", Hits: 11100, Peak: 1000},
	}
	if diff := cmp.Diff(wantTraffic, p.Traffic); diff != "" {
		t.Errorf("traffic: -want +got\n%s", diff)
	}
	second := time.Second
	wantFaults := []spec.FaultPlan{
		{"freeze", "stop worker", 140 * second, 145 * second},
		{"slow", "latency db latency=20ms share=10%", 142 * second, 152 * second},
		{"freeze", "stop worker", 160 * second, 165 * second},
		{"freeze", "stop worker", 180 * second, 185 * second},
	}
	if diff := cmp.Diff(wantFaults, p.Faults); diff != "" {
		t.Errorf("faults: -want +got\n%s", diff)
	}
	// The busiest minute holds the whole spike: 60 s at 100/s, 10 s at 1,000/s and 50 s at 10/s.
	if p.Length != 220*second || p.Repeat != 3 || p.Hits != 29600 || p.Peak != 1100 || p.Bytes != p.Traffic[0].Bytes ||
		p.Connections != 300 || p.Descriptors != 856 || p.Dials != 16500 || p.Ports != 24750 {
		t.Errorf("%+v", p)
	}
}

func TestAPlanSaysWhatThresholdsHaveToGoBy(t *testing.T) {
	t.Parallel()
	p := plan(t, planned)
	second := time.Second
	want := []spec.ThresholdPlan{
		{Text: "p99.9(response) < 500ms", Scope: "judged phases", For: 210 * second, Samples: 18000, Needs: 10000, Enough: true},
		{Text: "p99(response{scenario=rush}) < 1s over 5s in steady", Scope: "phase steady", For: 120 * second, Samples: 5000, Needs: 1000, Windows: 24, Thin: 22, Enough: true},
		{Text: "p90(response) < 50ms over 2s in faults", Scope: "phase faults", For: 60 * second, Samples: 200, Needs: 100, Windows: 30, Enough: true},
		{Text: "ratio(failed) <= 1% in fault(freeze)", Scope: "fault freeze", For: 15 * second, Samples: 1500, Needs: 1, Enough: true},
		{Text: "max(gap) < 1s outside faults", Scope: "judged phases outside faults", For: 188 * second, Samples: 15800, Needs: 1, Enough: true},
		{Text: "recover(freeze) < 5s", Scope: "run", For: 220 * second, Enough: true},
		{Text: "count(lost) == 0", Scope: "run", For: 220 * second, Enough: true},
		{Text: "slope(rss) < 4MiB/h in faults", Scope: "phase faults", For: 60 * second, Enough: true},
		{Text: "max(server.queue_depth) < 5 over 10s", Scope: "judged phases", For: 210 * second, Windows: 21, Enough: true},
	}
	if diff := cmp.Diff(want, p.Thresholds, cmpopts.IgnoreUnexported(spec.ThresholdPlan{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !p.Decidable {
		t.Error("no verdict is possible")
	}
	notes := strings.Join(p.Notes, "\n")
	for _, want := range []string{"catch_up: unlimited sends", "in faults: 1m0s are judged, and a leak verdict needs 2m0s", "22 of 24 windows have fewer than the 1000 samples"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

func TestAPlanIsATableForPeople(t *testing.T) {
	t.Parallel()
	want := `planned against http://127.0.0.1:8080, seed 7: 3m40s, 3 times (11m)
29,600 requests, at most 1100/s, about 239 MiB of bodies
300 connections at once, 16,500 new ones in the busiest minute: needs 856 descriptors and 24,750 free ports

phase   from   for  judged  scale  requests  peak    of which
warmup  0s     10s  no      0.5    500       50/s    orders 500
steady  10s    2m   yes     1      23,100    1100/s  orders 12,000, rush 11,100
faults  2m10s  1m   yes     1      6,000     100/s   orders 6,000
drain   3m10s  30s  yes     0      0         0/s

scenario  pacing    judged  requests  peak    again  spoiled  bodies
orders    constant  yes     18,500    100/s   1,850  185      239 MiB
rush      spike     no      11,100    1000/s  0      0        0 B

fault   from   to     what
freeze  2m20s  2m25s  stop worker
slow    2m22s  2m32s  latency db latency=20ms share=10%
freeze  2m40s  2m45s  stop worker
freeze  3m     3m5s   stop worker

threshold                                            scope                               windows  samples  needs
p99.9(response) < 500ms                              judged phases, 3m30s                         18,000   10,000
p99(response{scenario=rush}) < 1s over 5s in steady  phase steady, 2m                    24       5,000    1,000
p90(response) < 50ms over 2s in faults               phase faults, 1m                    30       200      100
ratio(failed) <= 1% in fault(freeze)                 fault freeze, 15s                            1,500    1
max(gap) < 1s outside faults                         judged phases outside faults, 3m8s           15,800   1
recover(freeze) < 5s                                 run, 3m40s
count(lost) == 0                                     run, 3m40s
slope(rss) < 4MiB/h in faults                        phase faults, 1m
max(server.queue_depth) < 5 over 10s                 judged phases, 3m30s                21

note: catch_up: unlimited sends all that was missed at once after a stall: the target is knocked down a second time
note: slope(rss) < 4MiB/h in faults: 1m0s are judged, and a leak verdict needs 2m0s: it will be INCONCLUSIVE unless the leak is large
note: p99(response{scenario=rush}) < 1s over 5s in steady: 22 of 24 windows have fewer than the 1000 samples that it needs, and are passed over
A verdict can be reached.
`
	if diff := cmp.Diff(want, plan(t, planned).String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAPlanIsJSONForMachines(t *testing.T) {
	t.Parallel()
	want := plan(t, planned)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"length_ns":220000000000`, `"verdict_possible":true`, `"samples":18000`, `"begins_ns":10000000000`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("lacks %s: %s", key, text)
		}
	}
	var got spec.Plan
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got, cmpopts.IgnoreUnexported(spec.ThresholdPlan{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

// Windows are cut out of each phase for itself; what is left at its end is
// none, and next to a fault none is left where faults are left out.
func TestWindowsBeginWithTheirPhases(t *testing.T) {
	t.Parallel()
	p := plan(t, parts(head, aim, `
phases: [{name: a, for: 7s}, {name: b, for: 20s}]
scenarios:
  - name: web
    pacing: {kind: constant, rate: 100/s}
    request: {path: /, id: {header: X-Id}, sign: {scheme: github-sha256, secret_env: HOOK_SECRET}}
    replay: {share: 20%}
    negative:
      - {name: unsigned, share: 10%, mutate: unsigned, expect: {status: [401]}}
      - {name: json, share: 30%, mutate: json, expect: {status: [400]}}
faults: [{name: freeze, phase: b, at: 7s, for: 2s, do: {kind: stop}}, {name: kill, phase: b, at: 17s, do: {kind: kill}}]
thresholds:
  - mean(response) < 1s over 5s
  - mean(response) < 1s over 5s outside faults
  - mean(response) < 1s over 1s in fault(freeze)
  - p50(response{variant=plain}) < 1s
  - p50(response{variant=replay}) < 1s
  - p50(response{variant=negative}) < 1s
  - p50(response{variant=json}) < 1s in b
`))
	type row struct {
		windows int
		samples uint64
	}
	want := []row{{5, 500}, {3, 500}, {2, 100}, {0, 1080}, {0, 540}, {0, 1080}, {0, 600}}
	for i, th := range p.Thresholds {
		if got := (row{th.Windows, th.Samples}); got != want[i] {
			t.Errorf("%s: %+v, want %+v", th.Text, got, want[i])
		}
	}
}

// A scenario that was changed after it was read is planned as it is now.
func TestAPlanWithoutSamplesSaysThatNoVerdictIsPossible(t *testing.T) {
	t.Parallel()
	s := parse(t, planned)
	s.Phases = s.Phases[:2]
	s.Phases[1].For = time.Second
	s.Traffic[1].Pacing.At = 0
	s.Repeat = 1
	p, err := spec.NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	if p.Decidable || p.Thresholds[0].Enough || !strings.Contains(p.Thresholds[0].Why, "needs 10000 samples, and 100 are planned") {
		t.Errorf("%+v", p.Thresholds[0])
	}
	if text := p.String(); !strings.Contains(text, "No verdict can be reached") || strings.Contains(text, "times (") {
		t.Error(text)
	}
	s.Traffic = s.Traffic[:1]
	s.Thresholds[1].Labels[0].Value = "gone"
	if p, err = spec.NewPlan(s); err != nil || p.Thresholds[1].Enough {
		t.Errorf("a threshold of a scenario that is gone: %+v, %v", p, err)
	}
}

func TestAPacingThatCannotBeIsNoPlan(t *testing.T) {
	t.Parallel()
	s := parse(t, planned)
	s.Traffic[0].Pacing.Rate = -1
	_, err := spec.NewPlan(s)
	var problem *pace.Problem
	if !errors.As(err, &problem) || !strings.HasPrefix(err.Error(), "plan orders in warmup: rate: ") {
		t.Errorf("NewPlan = %v", err)
	}
}

func TestNotesOfAPlan(t *testing.T) {
	t.Parallel()
	p := plan(t, parts(head, "target: {base_url: \"http://127.0.0.1:8080\"}\nphases: [{name: a, for: 1s}]\n",
		"scenarios: [{name: many, pacing: {kind: constant, rate: 30000/s}, request: {path: /, body: {template: order.json}}}]\n"), func(o *spec.Options) { o.Dir = "testdata/files" })
	notes := strings.Join(p.Notes, "\n")
	for _, want := range []string{"there is no threshold", "30000/s is much for transport: nethttp"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if p.Bytes != 30000*int64(len("{\"id\": \"{{id}}\"}\n")) {
		t.Errorf("%d bytes of bodies", p.Bytes)
	}
	few := plan(t, parts(head, aim, phases, web, "client: {max_inflight: 300, max_conns: 100}\n"))
	if few.Connections != 100 || few.Descriptors != 456 || !strings.Contains(strings.Join(few.Notes, "\n"), "100 connections for 300 requests at once") {
		t.Errorf("%+v", few)
	}
	s := parse(t, planned)
	s.Phases = s.Phases[:1]
	if p, err := spec.NewPlan(s); err != nil || !strings.Contains(strings.Join(p.Notes, "\n"), "rush is never sent") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestManyFaultsAreNotAllInTheTable(t *testing.T) {
	t.Parallel()
	p := plan(t, parts(head, aim, phases, web, "faults: [{name: kill, phase: steady, every: 100ms, do: {kind: kill}}]\n"))
	if text := p.String(); len(p.Faults) != 100 || !strings.Contains(text, "and 80 more") {
		t.Errorf("%d faults:\n%s", len(p.Faults), text)
	}
}

// Arrivals by chance are drawn for the plan as they are for the run.
func TestPlansOfPoissonAreExact(t *testing.T) {
	t.Parallel()
	text := parts(head, aim, phases, "scenarios: [{name: web, pacing: {kind: poisson, rate: 1000/s}, request: {path: /}}]\n")
	s := parse(t, text)
	sent, err := pace.In(s, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	got := plan(t, text).Phases[1].Hits
	if got != sent.Planned(10*time.Second) || got == 10_000 {
		t.Errorf("%d hits are planned, %d are sent", got, sent.Planned(10*time.Second))
	}
}

func plan(t *testing.T, text string, change ...func(*spec.Options)) *spec.Plan {
	t.Helper()
	p, err := spec.NewPlan(parse(t, text, change...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestAPlanThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	if err := plan(t, parts(head, aim, phases, web)).Write(broken{}); err == nil || err.Error() != "write plan: no space" {
		t.Errorf("Write = %v", err)
	}
}
