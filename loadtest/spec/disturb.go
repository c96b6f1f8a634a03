package spec

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func (b *builder) faults() {
	var names []string
	for i := range b.f.Faults {
		f, key := &b.f.Faults[i], item("faults", i)
		before := len(b.problems)
		b.required(key, "name", "phase", "do")
		if b.given(key + ".name") {
			b.name(key+".name", f.Name, "a fault")
		}
		out := loadtest.Fault{Name: f.Name, Phase: f.Phase, At: time.Duration(f.At), For: time.Duration(f.For), Every: time.Duration(f.Every)}
		if b.given(key + ".phase") {
			b.faultTimes(key, out)
		}
		if b.given(key + ".do") {
			out.Do = b.action(key, f)
		}
		if b.o.Fault != nil && len(b.problems) == before {
			if err := b.o.Fault(out); err != nil {
				b.fail(key+".do", "", "%s", err)
			}
		}
		b.s.Faults = append(b.s.Faults, out)
		names = append(names, f.Name)
	}
	b.unique("faults", names)
}

func (b *builder) faultTimes(key string, f loadtest.Fault) {
	i := b.s.PhaseIndex(f.Phase)
	if i < 0 {
		b.fail(key+".phase", suggest(f.Phase, b.phaseNames(), "there are "), "there is no phase %s", cut(f.Phase))
		return
	}
	phase := b.s.Phases[i]
	left := b.s.Length() - b.s.Begins(i)
	switch {
	case f.At >= phase.For:
		b.fail(key+".at", "let it begin earlier", "%s is beyond the end of phase %s, which takes %s", f.At, f.Phase, phase.For)
	case f.For > left-f.At:
		b.fail(key+".for", "make it shorter, or a phase longer", "it would last until %s after the run", f.At+f.For-left)
	case b.given(key+".every") && f.Every < max(f.For, 100*time.Millisecond):
		b.fail(key+".every", "write at least the duration of the fault, and at least 100ms", "%s is too short: it would come again before it is over", f.Every)
	case b.given(key+".every") && (phase.For-f.At)/f.Every >= maxTimes:
		b.fail(key+".every", fmt.Sprintf("write a longer time; %d are allowed", maxTimes), "it would come %d times", (phase.For-f.At)/f.Every+1)
	}
}

// maxTimes is how often a fault may come.
const maxTimes = 10_000

func (b *builder) action(key string, f *fault) loadtest.Action {
	a := loadtest.Action{Kind: f.Do["kind"], Target: f.Do["target"]}
	args := maps.Clone(f.Do)
	delete(args, "kind")
	delete(args, "target")
	if len(args) > 0 {
		a.Args = args
	}
	b.required(key+".do", "kind")
	for _, k := range slices.Sorted(maps.Keys(f.Do)) {
		if !nameRE.MatchString(k) {
			b.fail(below(key+".do", k), "write a plain word", "%q cannot name what a fault does", cut(k))
		}
	}
	if b.given(key + ".via") {
		if a.Target != "" {
			b.fail(key+".via", "keep one of the two", "do.target names the target already")
		}
		a.Target = f.Via
	}
	return a
}

func (b *builder) hang() {
	f, key := b.f.Hang, "hang"
	h := loadtest.Hang{
		After: b.patience("hang.after", f.After, b.hangAfter()), Gap: b.patience("hang.gap", f.Gap, time.Second),
		Drain: b.patience("hang.drain", f.Drain, 30*time.Second), Probe: f.Probe, Queue: f.Queue, Progress: f.Progress, Tolerate: f.Tolerate,
	}
	if b.given(key + ".probe") {
		b.isPath(key+".probe", h.Probe)
	}
	for k, series := range map[string]string{"queue": h.Queue, "progress": h.Progress} {
		if !b.given(below(key, k)) {
			continue
		}
		if err := checkSeries(series); err != nil {
			b.failAt(below(key, k), err.Column, err.Do, "%s", err.What)
		}
	}
	switch {
	case b.given(key+".queue") && !b.given(key+".progress"):
		b.fail(key+".progress", "name the counter of work done; a queue is stuck when it does not move", "missing")
	case b.given(key+".progress") && !b.given(key+".queue"):
		b.fail(key+".queue", "name the gauge of work that waits", "missing")
	case b.given(key+".queue") && !b.hasMetrics():
		b.fail(key+".queue", "write where the service's metrics are", "is a metric, and target.metrics is missing")
	}
	b.s.Hang = h
}

// patience returns the duration at key, or the standard one if none is given.
func (b *builder) patience(key string, d duration, standard time.Duration) time.Duration {
	if !b.given(key) {
		return standard
	}
	b.between(key, d, 100*time.Millisecond, time.Hour)
	return time.Duration(d)
}

// hangAfter is when a request counts as stuck, where the scenario does not say:
// long beyond what its thresholds allow.
func (b *builder) hangAfter() time.Duration {
	tightest := 0.0
	for _, t := range b.s.Thresholds {
		if t.Aggregate == loadtest.Quantile && t.Metric == loadtest.MetricResponse && !t.Server && t.Unit == loadtest.Seconds && (tightest == 0 || t.Limit < tightest) {
			tightest = t.Limit
		}
	}
	return max(2*time.Second, time.Duration(20*tightest*float64(time.Second)))
}

// hasMetrics reports whether the service's metrics are scraped. Of a service
// that the gate starts, they are.
func (b *builder) hasMetrics() bool {
	return b.s.Target.Metrics.URL != "" || b.managed()
}

// hasProcess reports whether the service's processes are looked at.
func (b *builder) hasProcess() bool {
	return b.s.Target.PIDFile != "" || b.managed()
}
