package journal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

func TestMergedRecordsSayWhatBothSay(t *testing.T) {
	t.Parallel()
	warning := watchdog.Incident{
		ID: "a", Time: noon, Severity: watchdog.Warning, Reason: "harakiri", Verdict: "a request took too long",
		Pool: "http", Index: 0, Incarnation: 4, PID: 11,
		Stuck: []watchdog.Stuck{{Request: "r1", Route: "/slow", Client: "c", Slot: 1, AgeMS: 3000, Outcome: "504 from the worker"}},
		Evidence: watchdog.Evidence{
			Locks: []watchdog.LockState{{Name: "queue"}}, Dump: "a.dump", Process: watchdog.Process{Goroutines: 9},
		},
		Timeline: []watchdog.Moment{{AfterMS: 0, What: "504"}, {AfterMS: 500, What: "dump"}},
	}
	killing := watchdog.Incident{
		ID: "a", Time: noon.Add(10 * time.Second), Severity: watchdog.Killing, Reason: "wedged", Verdict: "it held the queue",
		Pool: "http", Index: 1, Incarnation: 4, PID: 11,
		Stuck:    []watchdog.Stuck{{Request: "r1", Slot: 1, AgeMS: 13000}, {Request: "r2", Route: "/slow", Slot: 2}},
		Lost:     []watchdog.Stuck{{Request: "r3", Route: "/fast", Slot: 3}},
		Evidence: watchdog.Evidence{Threads: []watchdog.Thread{{TID: 11}}},
		Timeline: []watchdog.Moment{{AfterMS: -9900, What: "seen"}, {AfterMS: 0, What: "quarantined"}, {AfterMS: 2500, What: "killed"}},
	}
	want := watchdog.Incident{
		ID: "a", Time: noon, Severity: watchdog.Killing, Reason: "wedged", Verdict: "it held the queue",
		Pool: "http", Index: 1, Incarnation: 4, PID: 11,
		Stuck: []watchdog.Stuck{
			{Request: "r1", Route: "/slow", Client: "c", Slot: 1, AgeMS: 13000, Outcome: "504 from the worker"},
			{Request: "r2", Route: "/slow", Slot: 2},
		},
		Lost: killing.Lost,
		Evidence: watchdog.Evidence{
			Threads: killing.Evidence.Threads, Locks: warning.Evidence.Locks, Dump: "a.dump", Process: warning.Evidence.Process,
		},
		Timeline: []watchdog.Moment{
			{AfterMS: 0, What: "504"},
			{AfterMS: 100, What: "seen"},
			{AfterMS: 500, What: "dump"},
			{AfterMS: 10000, What: "quarantined"},
			{AfterMS: 12500, What: "killed"},
		},
	}
	for name, got := range map[string]watchdog.Incident{
		"in order":     journal.Merge(warning, killing),
		"late warning": journal.Merge(killing, warning),
		"again":        journal.Merge(journal.Merge(warning, killing), killing),
		"both again":   journal.Merge(journal.Merge(warning, killing), journal.Merge(killing, warning)),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := journal.Merge(watchdog.Incident{}, killing); !cmp.Equal(got, killing) {
		t.Errorf("with nothing: %+v", got)
	}
	if got := journal.Merge(killing, watchdog.Incident{}); !cmp.Equal(got, killing) {
		t.Errorf("with nothing: %+v", got)
	}
}

func TestOfTwoEquallyGraveRecordsTheSecondHasTheLastWord(t *testing.T) {
	t.Parallel()
	a := watchdog.Incident{ID: "a", Severity: watchdog.Warning, Verdict: "first", Reason: "harakiri"}
	b := watchdog.Incident{ID: "a", Severity: watchdog.Warning, Verdict: "second"}
	if got := journal.Merge(a, b); got.Verdict != "second" || got.Reason != "harakiri" {
		t.Errorf("%+v", got)
	}
}
