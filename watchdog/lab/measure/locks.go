package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// hotLock has 300 goroutines fight for one lock in every worker, and others get
// stuck beside them, so that evidence is taken: nobody may be told that the hot
// lock is stalled.
func hotLock(ctx context.Context, b *bench, r *report) (err error) {
	s, err := b.start(ctx, r.Cell, options{mercy: 20 * time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pids := s.serving(ctx)
	heated := map[int]bool{}
	for i := 0; i < 100 && len(heated) < len(pids); i++ {
		heated[(&client{addr: s.addr}).get(ctx, "/hot?s=15", patience).PID] = true
	}
	offenders, done := inject(ctx, s, slices.Repeat([]string{"sleep"}, 4), 0)
	<-done
	pause(ctx, calm) // for what is sampled after the kill
	accused := 0
	all, err := s.incidents(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.blames() {
			accused++
		}
	}
	answers := tally{}
	for _, o := range offenders {
		answers[o.answer.Outcome]++
	}
	r.figure("workers heated", len(heated))
	r.figure("offenders", answers)
	r.figure("incidents", len(all))
	r.figure("that accuse a lock", accused)
	r.bar("evidence was taken", answers["504"] > 0 && len(all) > 0, "%s, %d incidents", answers, len(all))
	r.bar("no report", accused == 0, "%d incidents accuse a lock, want 0", accused)
	return nil
}

// abba has two requests deadlock each other: it is reported within a second of
// the first 504, with both stacks and both request ids.
func abba(ctx context.Context, b *bench, r *report) (err error) {
	s, err := b.start(ctx, r.Cell, options{workers: 1, mercy: 10 * time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	offenders, done := inject(ctx, s, []string{"deadlock", "deadlock"}, 0)
	<-done
	var ids []string
	first := offenders[0].answer.End
	for _, o := range offenders {
		id, _ := o.request()
		ids = append(ids, id)
		if o.answer.End.Before(first) {
			first = o.answer.End
		}
	}
	var found incident
	_, _ = poll(ctx, 5*time.Second, func() bool {
		all, listErr := s.incidents(ctx)
		err = listErr
		i := slices.IndexFunc(all, func(i incident) bool { return i.blames() && i.names(ids[0]) && i.names(ids[1]) })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	if err != nil {
		return err
	}
	after := time.Since(first)
	r.figure("requests", strings.Join(ids, " "))
	r.figure("reported after", ms(after))
	r.figure("verdict", found.Verdict)
	r.bar("504 with request ids", ids[0] != "" && ids[1] != "", "%s and %s", offenders[0].outcome(), offenders[1].outcome())
	r.bar("reported", found.ID != "" && after < time.Second, "%s, want one within a second of the first 504", describe(found, after))
	r.bar("both stacks", found.stack(ids[0]) && found.stack(ids[1]), "%d stacks", len(found.Evidence.Stacks))
	return nil
}

func describe(i incident, after time.Duration) string {
	if i.ID == "" {
		return "no incident accuses a lock and names both requests"
	}
	return fmt.Sprintf("incident %s after %s", i.ID, ms(after))
}
