package hang

import (
	"time"

	"github.com/seadog/seadog/loadtest"
)

var Suspect = suspect

// Rule is one of the rules, for a test that looks with it.
type Rule struct{ r rule }

func Silence(after time.Duration) Rule { return Rule{&silence{after: after}} }
func Stall(limit time.Duration) Rule   { return Rule{&stall{limit: limit}} }
func Probing() Rule                    { return Rule{probing{}} }
func IdleWork() Rule                   { return Rule{&idleWork{}} }

// Look is what a test shows a rule. Times are in seconds.
type Look struct {
	At, Woke  float64
	Sent      []float64 // of requests without a first byte
	Answering []float64 // of requests with one
	Completed uint64
	Abandoned uint64
	Last      float64 // when the one that was abandoned last was sent
	Failures  int
	Since     float64 // of failures
	Healthy   bool
	Queue     float64
	Done      float64
	Gone      bool // queue and progress are not known
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Look lets the rule look, and returns its mood, since when, and what it says.
func (r Rule) Look(l Look) (mood string, since float64, text string) {
	f := &facts{
		at: seconds(l.At), woke: seconds(l.Woke), completed: l.Completed, abandoned: l.Abandoned,
		last:     Request{Traffic: "hooks", Seq: 9, Sent: seconds(l.Last)},
		probe:    probeState{failures: l.Failures, since: seconds(l.Since), why: "no answer", healthy: l.Healthy},
		queue:    level{loadtest.Point{At: seconds(l.At), Value: l.Queue}, !l.Gone},
		progress: level{loadtest.Point{At: seconds(l.At), Value: l.Done}, !l.Gone},
	}
	for i, at := range l.Sent {
		f.inflight = append(f.inflight, Request{Traffic: "hooks", Seq: uint64(i), Sent: seconds(at)})
	}
	for _, at := range l.Answering {
		f.inflight = append(f.inflight, Request{Traffic: "hooks", Sent: seconds(at), First: seconds(at) + 1})
	}
	found := r.r.look(f)
	return [...]string{"calm", "unsure", "stuck"}[found.mood], found.since.Seconds(), found.text
}

// Back says what has not come back; -1 is a value that is not known.
func Back(inflight int, before, now [2]float64) string {
	known := func(v float64) level { return level{loadtest.Point{Value: v}, v >= 0} }
	return rest{0, known(before[0]), known(before[1])}.back(rest{inflight, known(now[0]), known(now[1])})
}

// Thread is what a test says of a thread.
type Thread struct {
	State byte
	Wchan string
	Ticks uint64
}

// Waits compares two looks at processes, the first of which is the parent of the others.
func Waits(first, second [][]Thread, apart time.Duration) string {
	return waits(family(first), family(second), apart)
}

func family(all [][]Thread) []process {
	var out []process
	for i, threads := range all {
		p := process{pid: 100 * (i + 1), parent: 100}
		if i == 0 {
			p.parent = 1
		}
		for n, t := range threads {
			p.threads = append(p.threads, thread{tid: p.pid + n, state: t.State, wchan: t.Wchan, ticks: t.Ticks})
		}
		out = append(out, p)
	}
	return out
}
