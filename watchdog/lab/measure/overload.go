package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// burn sends 200 requests that need the processor and end: they are more than
// the machine can do in time, so newcomers that are not essential are turned
// away, but nobody is stuck and nobody may be killed.
func burn(ctx context.Context, b *bench, r *report) (err error) {
	const (
		requests = 200
		each     = 50 // ms of processor time
		mercy    = 10 * time.Second
	)
	s, err := b.start(ctx, r.Cell, options{mercy: mercy})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pause(ctx, time.Second)
	old := s.workers()
	l := startLoad(ctx, &client{addr: s.addr}, "/echo", healthRate)
	defer l.stop(0)
	pause(ctx, time.Second)

	answers := askAtOnce(ctx, s, fmt.Sprintf("/burn?ms=%d", each), requests)
	begin := time.Now()
	_, _ = poll(ctx, 30*time.Second, func() bool { return l.well(calm) })
	r.figure("well again after", seconds(time.Since(begin)))
	burned, others, shed := tally{}, tally{}, 0
	for _, a := range answers {
		burned[a.Outcome]++
	}
	for _, a := range l.stop(lastGrace) {
		others[a.Outcome]++
		answers = append(answers, a.answer)
	}
	for _, a := range answers {
		if a.Outcome == "503" && a.RetryAfter != "" {
			shed++
		}
	}
	r.figure("burn", burned)
	r.figure("others", others)
	r.figure("shed", shed)
	r.bar("every request is answered", burned["200"]+burned["503"]+burned["504"] == requests, "%s, want only 200, 503 and 504", burned)
	r.bar("others are answered or turned away", others["200"]+others["503"] == others.total(), "%s, want only 200 and 503", others)
	r.bar("newcomers are turned away", shed > 0, "%d answers of 503 with Retry-After, want some", shed)
	r.bar("nothing is killed", survivors(old) == len(old), "%d of %d processes are left", survivors(old), len(old))
	return nil
}

// askAtOnce sends n requests at once and returns their answers.
func askAtOnce(ctx context.Context, s *server, path string, n int) []answer {
	c := &client{addr: s.addr}
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = c.get(ctx, path, patience) })
	}
	wg.Wait()
	return answers
}
