package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

func TestFaultsComeAndGoWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		tl, d := timeline(t, scenario(
			"again: warmup reset db at=1s for=1s every=4s",
			"next: warmup reset db at=2s for=2s",
			"late: steady down engine at=19s for=5s",
		), w)
		if err := tl.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, []string{
			"1s again began", "2s again ended", "2s next began", "4s next ended", "5s again began", "6s again ended",
			"9s again began", "10s again ended", "29s late began", "30s late ended",
		}, d.read())
		var reports []string
		for _, r := range tl.Reports() {
			reports = append(reports, fmt.Sprint(r.Name, " ", r.Begin, " ", r.End, " ", r.What, " ", r.Effects["undone"], r.Error))
		}
		const what = "answers from db meet a reset for "
		same(t, []string{
			"again 1s 2s " + what + "1s 1", "next 2s 4s " + what + "2s 1", "again 5s 6s " + what + "1s 1", "again 9s 10s " + what + "1s 1",
			"late 29s 30s engine refuses connections for 5s 1",
		}, reports)
		if reasons := tl.Reasons(); len(reasons) != 0 {
			t.Errorf("reasons %v", reasons)
		}
		if err := tl.Run(t.Context()); err == nil {
			t.Error("it ran twice")
		}
	})
}

func TestTimesCountFromTheStartOfTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		<-time.After(700 * time.Millisecond)
		d := &diary{}
		tl, err := fault.New(fault.Config{
			Scenario: scenario("a: warmup reset db at=1s for=1s", "overdue: warmup down engine for=2s"),
			Network:  &wires{}, Log: slog.New(slog.DiscardHandler), Events: d.note, Start: began,
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = tl.Run(t.Context())
		got := d.read()
		slices.Sort(got) // engine and db go their own ways
		same(t, []string{"1s a began", "2s a ended", "2s overdue ended", "700ms overdue began"}, got)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestEndOfTheRunUndoesWhatIsOnAndBeginsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		tl, d := timeline(t, scenario("a: warmup reset db at=1s for=9s", "b: warmup down engine at=2s for=9s", "c: steady reset db for=1s"), w)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := tl.Run(ctx); err != nil {
			t.Fatal(err)
		}
		same(t, []string{"1s a began", "2s b began", "3s b ended", "3s a ended"}, d.read()) // the last one first
		same(t, nil, w.isOn())
	})
}

func TestUndoMayBeCalledAtAnyTimeAndAgain(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]time.Duration{"before": 500 * time.Millisecond, "during": 1500 * time.Millisecond, "after": 2500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wires{}
				tl, d := timeline(t, scenario("a: warmup reset db at=1s for=1s", "b: steady reset db for=1s"), w)
				began := time.Now()
				over := make(chan time.Duration, 1)
				go func() {
					_ = tl.Run(t.Context())
					over <- time.Since(began)
				}()
				<-time.After(at)
				for range 2 {
					if err := tl.Undo(); err != nil {
						t.Error(err)
					}
					same(t, nil, w.isOn())
				}
				if got := <-over; got != at {
					t.Errorf("Undo at %s, and Run returned at %s", at, got)
				}
				want := map[string][]string{"before": nil, "during": {"1s a began", "1.5s a ended"}, "after": {"1s a began", "2s a ended"}}
				same(t, want[name], d.read())
			})
		})
	}
}

func TestUndoneTimelineDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tl, d := timeline(t, scenario("a: warmup reset db for=1s"), &wires{})
		if err := tl.Undo(); err != nil {
			t.Fatal(err)
		}
		if err := tl.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, nil, d.read())
	})
}

func TestPanicOfTheCallerLeavesNothingOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{}
		tl, d := timeline(t, scenario("a: warmup reset db at=1s for=9s"), w)
		var gone sync.WaitGroup
		gone.Go(func() { _ = tl.Run(t.Context()) })
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			defer func() { _ = tl.Undo() }()
			<-time.After(2 * time.Second)
			same(t, []string{"db"}, w.isOn())
			panic("the caller")
		}()
		same(t, nil, w.isOn())
		gone.Wait()
		same(t, []string{"1s a began", "2s a ended"}, d.read())
	})
}

func TestFaultThatCannotBeDoneMakesTheRunInvalidAndOthersGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{disturb: func(_ context.Context, name string) error {
			if name == "db" {
				return errors.New("no such wire")
			}
			return nil
		}}
		tl, d := timeline(t, scenario("a: warmup reset db at=1s for=1s", "b: warmup down engine at=3s for=1s"), w)
		_ = tl.Run(t.Context())
		same(t, []string{"1s a failed: no such wire", "3s b began", "4s b ended"}, d.read())
		want := []loadtest.Reason{{
			Verdict: loadtest.Invalid, At: time.Second,
			Text: "fault a could not be done, so the run did not test what it should: no such wire",
		}}
		if diff := cmp.Diff(want, tl.Reasons()); diff != "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
		if got := tl.Reports()[0].Error; got != "could not be done: no such wire" {
			t.Errorf("report says %q", got)
		}
	})
}

func TestFaultThatCannotBeUndoneIsAnInternalError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{undo: func(string) error { return errors.New("stuck") }}
		tl, d := timeline(t, scenario("a: warmup reset db at=1s for=1s", "b: warmup down engine at=2500ms for=7s"), w)
		var gone sync.WaitGroup
		gone.Go(func() { _ = tl.Run(t.Context()) })
		<-time.After(3 * time.Second)
		if err := tl.Undo(); err == nil || err.Error() != "stuck" {
			t.Errorf("Undo: %v", err)
		}
		gone.Wait()
		same(t, []string{"1s a began", "2s a ended: stuck", "2.5s b began", "3s b ended: stuck"}, d.read())
		for _, r := range tl.Reasons() {
			if r.Verdict != loadtest.Internal || !strings.Contains(r.Text, "could not be undone") {
				t.Errorf("reason %+v", r)
			}
		}
		if n := len(tl.Reasons()); n != 2 {
			t.Errorf("%d reasons", n)
		}
	})
}

func TestSlowBeginningHoldsUpItsOwnLaneOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{disturb: func(_ context.Context, name string) error {
			if name == "db" {
				<-time.After(3 * time.Second)
			}
			return nil
		}}
		tl, d := timeline(t, scenario("slow: warmup reset db at=1s for=1s", "same: warmup reset db at=2s for=5s", "other: warmup down engine at=2s for=500ms"), w)
		_ = tl.Run(t.Context())
		same(t, []string{"2s other began", "2.5s other ended", "1s slow began", "4s slow ended", "4s same began", "7s same ended"}, d.read())
	})
}

func TestBeginningThatTheEndOfTheRunCutsShortIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wires{disturb: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		tl, d := timeline(t, scenario("a: warmup reset db at=1s for=1s"), w)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_ = tl.Run(ctx)
		same(t, nil, d.read())

		// What hangs by itself is one.
		tl, d = timeline(t, scenario("a: warmup reset db at=1s for=1s"), w)
		_ = tl.Run(t.Context())
		same(t, []string{"1s a failed: context deadline exceeded"}, d.read())
	})
}

func TestTheSameScenarioHasTheSameSeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs [2]wires
		for i := range runs {
			tl, _ := timeline(t, scenario("a: warmup reset db for=1s every=2s"), &runs[i])
			_ = tl.Run(t.Context())
		}
		if diff := cmp.Diff(runs[0].seeds, runs[1].seeds); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
		slices.Sort(runs[0].seeds)
		if different := slices.Compact(runs[0].seeds); len(different) != 5 {
			t.Errorf("five times, with seeds %v", different)
		}
	})
}

func TestOneLineIsLoggedForEachChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		tl, err := fault.New(fault.Config{Scenario: scenario("a: warmup down db for=1s"), Network: &wires{}, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		_ = tl.Run(t.Context())
		same(t, []string{
			`level=INFO msg="fault began" fault=a action="db refuses connections for 1s"`,
			`level=INFO msg="fault ended" fault=a action="db refuses connections for 1s" effects=map[undone:1]`, "",
		}, strings.Split(out.String(), "\n"))
	})
}

func TestWhatIsMissingIsToldBeforeTheRun(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"a: warmup stop worker for=1s":  `fault "a": there is no helper to start`,
		"a: warmup cpu for=1s":          `fault "a": there is no helper to start`,
		"a: warmup reset cache for=1s":  `fault "a": target is "cache", but the proxies are ["db" "engine"]`,
		"a: warmup nobody-reads for=1s": `fault "a": the service's console is not read through a valve`,
		"a: warmup full data for=1s":    `fault "a": target is "data", which is no directory that may be filled`,
		"a: warmup idle for=1s":         `fault "a": base URL "http://192.0.2.1": not a host of the loopback`,
		"a: cooldown reset db for=1s":   `plan faults: fault "a": phase is "cooldown", which is none of the scenario's`,
	} {
		sc := scenario(line)
		sc.Target.BaseURL = "http://192.0.2.1"
		_, err := fault.New(fault.Config{Scenario: sc, Network: &wires{}, Log: slog.New(slog.DiscardHandler)})
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", line, err, want)
		}
	}
	if _, err := fault.New(fault.Config{Scenario: scenario("a: warmup reset db for=1s"), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a fault of the network without one")
	}
}
