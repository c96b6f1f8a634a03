package main

import (
	"context"
	"errors"
	"time"
)

// blackHole blocks all handlers of one of two workers on one lock while 100
// requests a second arrive: the worker may swallow 40, and must answer them;
// the other one has to take the rest.
func blackHole(ctx context.Context, b *bench, r *report) (err error) {
	const (
		rate      = 100
		swallowed = 40
	)
	s, err := b.start(ctx, r.Cell, options{mercy: 10 * time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := &client{addr: s.addr}
	l := startLoad(ctx, c, "/blackhole", rate)
	defer l.stop(0)
	pause(ctx, calm)
	at := l.elapsed()
	if a := c.get(ctx, "/blackhole?shut=1", patience); !a.ok() {
		return errors.New("the hole did not open: " + a.Outcome)
	}
	pause(ctx, 4*calm)
	answers, late, worst504 := tally{}, 0, time.Duration(0)
	var first, last time.Duration                      // of the late ones
	for _, a := range l.stop(b.harakiri + lastGrace) { // for those that probe until the end
		answers[a.Outcome]++
		switch {
		case a.Outcome == "504":
			worst504 = max(worst504, a.delay())
		case a.ok() && a.delay() > slow:
			late++
			last = max(last, a.At-at)
			if first == 0 || a.At-at < first {
				first = a.At - at
			}
		}
	}
	r.figure("answers", answers)
	r.figure("others >250ms", late)
	r.figure("due from", seconds(first))
	r.figure("to", seconds(last))
	r.figure("worst 504", ms(worst504))
	r.bar("swallowed", answers["504"] <= swallowed && answers["504"] > 0, "%d, want 1 to %d", answers["504"], swallowed)
	r.bar("nobody without an answer", answers[okay]+answers["504"] == answers.total(), "%s, want only 200 and 504", answers)
	r.bar("everyone else on time", late == 0, "%d later than 250 ms, want 0", late)
	limit := b.harakiri + slow + latePlain
	r.bar("each gets its 504 in time", worst504 <= limit, "%s, want ≤ %s", ms(worst504), ms(limit))
	return nil
}
