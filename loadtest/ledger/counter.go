package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// closeCounter compares numbers only. A service may count a repeated request or
// not, so what is between the two bounds proves nothing.
func (l *Ledger) closeCounter(ctx context.Context, r *loadtest.LedgerReport) error {
	if !l.opened {
		return errors.New("the counter was not read before the run")
	}
	until := time.Now().Add(l.config.Patience)
	for {
		n, err := l.config.Counter(ctx)
		took := n - l.counted
		if (err != nil || took < float64(r.Accepted)) && time.Now().Before(until) && pause(ctx, betweenPolls) {
			continue
		}
		switch {
		case err != nil:
			return fmt.Errorf("read counter: %w", err)
		case took < 0:
			return fmt.Errorf("the counter fell from %g to %g: the service lost count, or was restarted", l.counted, n)
		}
		r.Found = uint64(took)
		most := r.Accepted + l.repeats + l.silent
		switch {
		case r.Found < r.Accepted:
			r.Lost = r.Accepted - r.Found
		case r.Found > most:
			r.Duplicate = r.Found - most
			r.Examples = []string{fmt.Sprintf("the service counts %d more than were accepted or unanswered: duplicates, or refused requests that were processed", r.Duplicate)}
		}
		r.UnknownOK = min(max(r.Found, r.Accepted)-r.Accepted, r.Unknown)
		return nil
	}
}
