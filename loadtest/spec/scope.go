package spec

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// ThresholdPlan is a threshold and what it will have to go by.
type ThresholdPlan struct {
	Text    string        `json:"text"`
	Scope   string        `json:"scope"`
	For     time.Duration `json:"for_ns"`            // that is judged
	Samples uint64        `json:"samples,omitempty"` // of requests; with windows, those of the fullest one
	Needs   uint64        `json:"needs,omitempty"`
	Windows int           `json:"windows,omitempty"`
	Thin    int           `json:"thin_windows,omitempty"` // windows that have fewer than it needs
	Enough  bool          `json:"enough"`
	Why     string        `json:"why,omitempty"` // it is not enough

	do string
}

// stretch is a part of the run, [from, to).
type stretch struct{ from, to time.Duration }

// faultTimes are the times that a fault comes.
func faultTimes(s *loadtest.Scenario, f *loadtest.Fault) []stretch {
	i := s.PhaseIndex(f.Phase)
	if i < 0 {
		return nil
	}
	begin, end := s.Begins(i)+f.At, s.Begins(i)+s.Phases[i].For
	var times []stretch
	for at := begin; at < end; at += f.Every {
		times = append(times, stretch{at, at + f.For})
		if f.Every <= 0 {
			break
		}
	}
	return times
}

// what says what a fault does, in the words of the file.
func what(a loadtest.Action) string {
	words := []string{a.Kind}
	if a.Target != "" {
		words = append(words, a.Target)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Args)) {
		words = append(words, name+"="+a.Args[name])
	}
	return strings.Join(words, " ")
}

// pieces are the phases, or the times of the fault, that a threshold is about.
func (p *planner) pieces(t *loadtest.Threshold) []stretch {
	var in []stretch
	if t.InFault != "" {
		for i := range p.s.Faults {
			if f := &p.s.Faults[i]; f.Name == t.InFault {
				in = append(in, faultTimes(p.s, f)...)
			}
		}
		return in
	}
	for j, phase := range p.s.Phases {
		if t.Phase == phase.Name || t.Phase == "" && phase.Judged {
			in = append(in, stretch{p.s.Begins(j), p.s.Begins(j) + phase.For})
		}
	}
	return in
}

// scope returns the parts of the run in which a threshold takes samples.
func (p *planner) scope(t *loadtest.Threshold) []stretch {
	in := merge(p.pieces(t))
	if t.Outside {
		for _, f := range p.disturbed() {
			in = without(in, f)
		}
	}
	return in
}

// disturbed are the parts of the run in which a fault lasts.
func (p *planner) disturbed() []stretch {
	var all []stretch
	for i := range p.s.Faults {
		all = append(all, faultTimes(p.s, &p.s.Faults[i])...)
	}
	return merge(all)
}

// windows cuts each phase, or fault, into the windows of a threshold. What is
// left at its end is no window; where faults are left out, so is every window
// that one overlaps.
func (p *planner) windows(t *loadtest.Threshold) []stretch {
	var out []stretch
	for _, s := range p.pieces(t) {
		for at := s.from; at+t.Over <= s.to; at += t.Over {
			out = append(out, stretch{at, at + t.Over})
		}
	}
	if !t.Outside {
		return out
	}
	holes := p.disturbed()
	return slices.DeleteFunc(out, func(w stretch) bool {
		i, _ := slices.BinarySearchFunc(holes, w.from, func(hole stretch, at time.Duration) int {
			if hole.to < at {
				return -1
			}
			return 1
		})
		return i < len(holes) && holes[i].from < w.to
	})
}

// merge joins what touches or overlaps.
func merge(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var out []stretch
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// without cuts hole out of all.
func without(all []stretch, hole stretch) []stretch {
	var out []stretch
	for _, s := range all {
		for _, part := range []stretch{{s.from, min(s.to, hole.from)}, {max(s.from, hole.to), s.to}} {
			if part.from < part.to && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

func (p *planner) seconds(all []stretch) time.Duration {
	sum := time.Duration(0)
	for _, s := range all {
		sum += min(s.to, p.plan.Length) - s.from
	}
	return sum
}

// all are the indexes of all traffic.
func (p *planner) all() []int {
	var all []int
	for i := range p.s.Traffic {
		all = append(all, i)
	}
	return all
}

// judged are the indexes of the traffic that a threshold is about.
func (p *planner) judged(t *loadtest.Threshold) []int {
	if name, ok := t.Label("scenario"); ok {
		return slices.DeleteFunc([]int{p.s.TrafficIndex(name)}, func(i int) bool { return i < 0 })
	}
	return slices.DeleteFunc(p.all(), func(i int) bool { return !p.s.Traffic[i].Judged })
}

// hits returns how many requests of some traffic are due in a part of the run.
func (p *planner) hits(traffic []int, in stretch) uint64 {
	sum := uint64(0)
	begin := time.Duration(0)
	for j, phase := range p.s.Phases {
		from, to := max(0, in.from-begin), min(phase.For, in.to-begin)
		if from < to {
			for _, i := range traffic {
				sum += p.schedules[i][j].Planned(to) - p.schedules[i][j].Planned(from)
			}
		}
		begin += phase.For
	}
	return sum
}

// threshold counts what a threshold will have to go by. Of metrics of the
// service, and of what is told at the end, nobody knows.
func (p *planner) threshold(t *loadtest.Threshold) ThresholdPlan {
	in := p.scope(t)
	out := ThresholdPlan{Text: t.Text, Scope: p.shownScope(t), For: p.seconds(in)}
	class := classOf(t)
	if t.Aggregate == loadtest.Recover || class.whole {
		out.Scope, out.For, out.Enough = "run", p.plan.Length, true
		return out
	}
	if class.requests {
		out.Needs = max(1, t.Needs())
	}
	if t.Over > 0 {
		for _, s := range p.pieces(t) { // those in faults as well: it is a limit
			out.Windows += int((s.to - s.from) / t.Over)
		}
		if out.Windows <= maxWindows {
			in = p.windows(t)
			out.Windows = len(in)
		} else {
			in = nil
		}
	}
	if class.requests {
		p.count(t, &out, in)
	}
	p.enough(t, &out)
	return out
}

// maxWindows is how many a threshold may have.
const maxWindows = 100_000

// nearly is the part of the samples with which a window is judged still: with
// random arrivals, some are short by a few.
const nearly = 0.8

// count adds up the requests that are planned in parts of the run.
func (p *planner) count(t *loadtest.Threshold, out *ThresholdPlan, parts []stretch) {
	sum := 0.0
	for _, part := range parts {
		n := 0.0
		for _, i := range p.judged(t) {
			n += float64(p.hits([]int{i}, part)) * ofVariant(&p.s.Traffic[i], t)
		}
		if t.Over == 0 {
			sum += n
			continue
		}
		sum = max(sum, n)
		if n < nearly*float64(out.Needs) {
			out.Thin++
		}
	}
	out.Samples = uint64(math.Round(sum))
}

// ofVariant is the share of a traffic that a threshold is about.
func ofVariant(traffic *loadtest.Traffic, t *loadtest.Threshold) float64 {
	variant, ok := t.Label("variant")
	if !ok {
		return 1
	}
	spoiled, named := 0.0, 0.0
	for _, n := range traffic.Negatives {
		spoiled += n.Share
		if n.Name == variant {
			named = n.Share
		}
	}
	switch variant {
	case "plain":
		return 1 - spoiled - traffic.Replay.Share
	case "replay":
		return traffic.Replay.Share
	case "negative":
		return spoiled
	}
	return named
}

// enough says whether that will do, and if not, why.
func (p *planner) enough(t *loadtest.Threshold, out *ThresholdPlan) {
	where := "in " + out.Scope
	if t.Over > 0 {
		where = fmt.Sprintf("in the fullest window of %s", t.Over)
	}
	switch {
	case out.Windows > maxWindows:
		out.Why, out.do = fmt.Sprintf("%d windows of %s are too many", out.Windows, t.Over), fmt.Sprintf("write longer windows; %d are allowed", maxWindows)
	case t.Over > 0 && out.Windows == 0:
		out.Why, out.do = fmt.Sprintf("no window of %s fits into its scope, %s", t.Over, out.Scope), "write shorter windows, or make the phase longer"
	case out.For <= 0:
		out.Why, out.do = "nothing is in its scope, "+out.Scope, "name a phase, or let one be judged"
	case out.Samples >= out.Needs:
	case out.Samples == 0:
		out.Why, out.do = "no request is planned "+where, "name another phase, or another scenario"
	case t.Aggregate == loadtest.Quantile:
		out.Why = fmt.Sprintf("p%s needs %d samples, and %d are planned %s", shifted(t.Q, 2), out.Needs, out.Samples, where)
		out.do = "raise the rate, or make the phase longer"
		if t.Over > 0 {
			out.do = "raise the rate, or write longer windows"
		}
		if q := within(out.Samples); q != "" {
			out.do = "write " + q + ", " + out.do
		}
	}
	out.Enough = out.Why == ""
}

// within returns the highest of the usual percentiles that n samples can tell.
func within(n uint64) string {
	for _, q := range []string{"99.9", "99.5", "99", "98", "95", "90", "75", "50"} {
		value, _ := scaled(q, -2)
		t := loadtest.Threshold{Aggregate: loadtest.Quantile, Q: value}
		if t.Needs() <= n {
			return "p" + q
		}
	}
	return ""
}

func (p *planner) shownScope(t *loadtest.Threshold) string {
	switch {
	case t.Phase != "":
		return "phase " + t.Phase
	case t.InFault != "":
		return "fault " + t.InFault
	case t.Outside:
		return "judged phases outside faults"
	}
	return "judged phases"
}
