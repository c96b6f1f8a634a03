package main

import (
	"slices"
	"testing"
	"time"
)

// stuck is an offender that was answered that late.
func stuck(kind, got string, pid int, late time.Duration) *offender {
	begin := time.Now()
	return &offender{
		kind: kind, id: kind, sent: begin, started: begin, pid: pid,
		answer: answer{Outcome: got, End: begin.Add(2*time.Second + late)},
	}
}

func TestOffendersAreJudgedByTheirCompany(t *testing.T) {
	t.Parallel()
	const msec = time.Millisecond
	b := &bench{harakiri: 2 * time.Second}
	for name, c := range map[string]struct {
		offenders []*offender
		missed    []string
	}{
		"in time":                   {[]*offender{stuck("sleep", "504", 1, 30*msec)}, nil},
		"late":                      {[]*offender{stuck("sleep", "504", 1, 31*msec)}, []string{"offender sleep"}},
		"a loop may be later":       {[]*offender{stuck("spin", "504", 1, 100*msec)}, nil},
		"but not much":              {[]*offender{stuck("spin", "504", 1, 101*msec)}, []string{"offender spin"}},
		"frozen":                    {[]*offender{stuck("freeze", "504", 1, 2500*msec)}, nil},
		"frozen too long":           {[]*offender{stuck("freeze", "504", 1, 2501*msec)}, []string{"offender freeze"}},
		"closed":                    {[]*offender{stuck("sleep", closed, 1, 0)}, []string{"offender sleep"}},
		"crash":                     {[]*offender{stuck("crash", closed, 1, -2*time.Second)}, nil},
		"crash that did not":        {[]*offender{stuck("crash", "200", 1, 0)}, []string{"offender crash"}},
		"beside a frozen one":       {[]*offender{stuck("sleep", "504", 1, 2*time.Second), stuck("cspin", "504", 1, 0)}, nil},
		"with a frozen one far off": {[]*offender{stuck("sleep", "504", 2, 2*time.Second), stuck("cspin", "504", 1, 0)}, []string{"offender sleep"}},
		"taken along by a crash":    {[]*offender{stuck("sleep", closed, 1, 0), stuck("crash", reset, 1, 0)}, nil},
		"with a crash far off":      {[]*offender{stuck("sleep", closed, 2, 0), stuck("crash", reset, 1, 0)}, []string{"offender sleep"}},
	} {
		var r report
		for _, o := range c.offenders {
			o.judge(b, &r, c.offenders)
		}
		if got := missed(r); !slices.Equal(got, c.missed) {
			t.Errorf("%s: missed %q, want %q", name, got, c.missed)
		}
	}
}

func TestOthersAreJudgedByTheNumberOfOffenders(t *testing.T) {
	t.Parallel()
	well := impact{Failed: tally{}, Lost: tally{closed: 3}}
	slower, slowest, failing := well, well, well
	slower.Slow = 1
	slowest.Slow, slowest.VerySlow = 1, 1
	failing.Failed = tally{"503": 1}
	for name, c := range map[string]struct {
		k      int
		impact impact
		gone   time.Duration
		calmed bool
		missed []string
	}{
		"well":             {2, well, 0, true, nil},
		"slow with two":    {2, slower, 0, true, []string{"others delayed > 250 ms"}},
		"slow with four":   {4, slower, 0, true, nil},
		"slowest":          {8, slowest, 0, true, []string{"others delayed > 1 s"}},
		"failing":          {8, failing, 0, true, []string{"others failed"}},
		"no recovery":      {1, well, 0, false, []string{"all is well again"}},
		"worker remaining": {1, well, -1, true, []string{"wedged workers are replaced"}},
	} {
		var r report
		fault{kind: "sleep", k: c.k}.judge(&bench{}, &r, outcome{impact: c.impact, workersGone: c.gone, calmed: c.calmed})
		if got := missed(r); !slices.Equal(got, c.missed) {
			t.Errorf("%s: missed %q, want %q", name, got, c.missed)
		}
	}
}

func missed(r report) []string {
	var names []string
	for _, b := range r.Bars {
		if !b.Met {
			names = append(names, b.Name)
		}
	}
	return names
}

func TestOnlyProcessesThatDieLoseRequests(t *testing.T) {
	t.Parallel()
	wall := time.Now()
	at := 3 * time.Second
	offenders := []*offender{{kind: "sleep", pid: 1, started: wall.Add(time.Second)}, {kind: "crash"}}
	if got := (fault{}).lostUntil(at, wall, offenders); got != 0 {
		t.Errorf("nobody died: %s", got)
	}
	offenders = append(offenders, &offender{kind: "freeze", pid: 1, started: wall.Add(50 * time.Millisecond)})
	if got := (fault{}).lostUntil(at, wall, offenders); got < at+50*time.Millisecond || got > at+100*time.Millisecond {
		t.Errorf("frozen after 50 ms: %s", got-at)
	}
}
