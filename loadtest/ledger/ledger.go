package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Kinds of lists, as scenarios name them.
const (
	KindSeadog = "seadog"
	KindIDs    = "ids"
)

const standardPatience = 30 * time.Second

// Config says whose books are kept, and where the service tells its own. Zero
// fields are defaults.
type Config struct {
	Scenario *loadtest.Scenario // Traffic and Target.Ledger
	Run      string
	// ID returns the id of a request. It is called for every id when the books are closed.
	ID func(run, traffic string, seq uint64) string
	// Counter returns how many requests the service says that it took. It is
	// asked if there is no list. nil: there is none either.
	Counter func(ctx context.Context) (float64, error)
	// Patience is how long accepted work may take to turn up and to end, from
	// [Ledger.Close] on; 30 s if 0, none if negative.
	Patience time.Duration
	Log      *slog.Logger // nil: nobody
}

// Ledger is a [loadtest.Sink]: first [Ledger.Open], then [Ledger.Take] from one
// goroutine at a time, at last [Ledger.Close].
type Ledger struct {
	config Config
	list   *list // nil: there is no list
	books  []*book
	beyond uint64 // samples whose number cannot be

	mark    int64   // newest delivery before the run
	counted float64 // by the counter, before the run
	opened  bool
	repeats uint64 // repeated requests that were accepted
	silent  uint64 // requests of which nothing is known
}

var _ loadtest.Sink = (*Ledger)(nil)

// New returns a ledger with empty books. It asks nobody yet.
func New(c Config) (*Ledger, error) {
	if c.Scenario == nil || c.ID == nil {
		return nil, errors.New("ledger: the scenario or the function for ids is missing")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Patience = max(0, cmp.Or(c.Patience, standardPatience))
	l := &Ledger{config: c, books: make([]*book, len(c.Scenario.Traffic))}
	for i, t := range c.Scenario.Traffic {
		if t.Request.ID.Header != "" { // without an id nobody can say what became of it
			l.books[i] = &book{}
		}
	}
	target := c.Scenario.Target.Ledger
	if target.URL == "" {
		return l, nil
	}
	if kind := cmp.Or(target.Kind, KindSeadog); kind != KindSeadog && kind != KindIDs {
		return nil, fmt.Errorf("ledger: there is no kind %q; use %s or %s", kind, KindSeadog, KindIDs)
	}
	u, err := url.Parse(strings.ReplaceAll(target.URL, "{{run}}", url.QueryEscape(c.Run)))
	if err != nil || u.Host == "" {
		return nil, errors.New("ledger: its url is none; write for example http://127.0.0.1:8787/api/v1/deliveries")
	}
	l.list = newList(u, target.Header, c.Scenario.Client.Insecure)
	return l, nil
}

// Open notes what the service knew before the first request. If it fails, the
// whole past is read when the books are closed; a counter cannot be used then.
func (l *Ledger) Open(ctx context.Context) error {
	switch {
	case l.mode() == modeCounters:
		n, err := l.config.Counter(ctx)
		if err != nil {
			return fmt.Errorf("open ledger: %w", err)
		}
		l.counted = n
	case l.mode() == modeDeliveries:
		newest, err := l.list.newest(ctx)
		if err != nil {
			return fmt.Errorf("open ledger: %w", err)
		}
		l.mark = newest
	}
	l.opened = true
	return nil
}

// Take implements [loadtest.Sink].
func (l *Ledger) Take(s *loadtest.Sample) {
	if s.Traffic < 0 || s.Traffic >= len(l.books) || l.books[s.Traffic] == nil {
		return
	}
	if s.Sent == 0 && (s.Outcome == loadtest.Dropped || s.Outcome == loadtest.OwnFault) {
		return // it never left
	}
	seq, is := s.Seq, stateOf(s)
	if s.Variant == loadtest.Repeated {
		seq = s.Of
		if is == accepted {
			l.repeats++
		}
	}
	if is == unknown {
		l.silent++
	}
	if seq >= mostIDs {
		l.beyond++
		return
	}
	l.books[s.Traffic].raise(seq, is)
}

// stateOf reads a sample. Only a refusal says that nothing was done: behind a
// 5xx the work may have been written before the answer was lost.
func stateOf(s *loadtest.Sample) state {
	switch {
	case s.Variant == loadtest.Spoiled:
		return rejected
	case s.Status >= 200 && s.Status < 300:
		return accepted
	case s.Status >= 400 && s.Status < 500 && s.Status != http.StatusRequestTimeout:
		return rejected
	}
	return unknown
}

const (
	modeDeliveries = "deliveries"
	modeIDs        = "ids"
	modeCounters   = "counters"
)

// mode is how the service tells what it knows; "" if it does not.
func (l *Ledger) mode() string {
	switch {
	case l.list != nil && l.config.Scenario.Target.Ledger.Kind == KindIDs:
		return modeIDs
	case l.list != nil:
		return modeDeliveries
	case l.config.Counter != nil:
		return modeCounters
	}
	return ""
}

// Close compares. It is called once, after the last sample, and waits within
// the patience of the configuration and ctx for work that has not turned up or
// ended. What could not be found out is in the report's Error.
func (l *Ledger) Close(ctx context.Context) loadtest.LedgerReport {
	r := loadtest.LedgerReport{Mode: l.mode()}
	l.count(&r)
	var err error
	switch {
	case l.beyond > 0:
		err = fmt.Errorf("%d samples have a number that no request can have", l.beyond)
	case r.Mode == modeCounters:
		err = l.closeCounter(ctx, &r)
	case r.Mode == modeIDs:
		err = l.closeIDs(ctx, &r)
	case r.Mode == modeDeliveries:
		err = l.closeDeliveries(ctx, &r)
	default:
		err = errors.New("the scenario names no ledger, and there is no counter")
	}
	if l.list != nil {
		l.list.client.CloseIdleConnections()
	}
	if err != nil {
		r.Error = err.Error()
		l.config.Log.Warn("the ledger could not be balanced", slog.String(loadtest.KeyError, r.Error))
	}
	return r
}

// count adds up what was sent.
func (l *Ledger) count(r *loadtest.LedgerReport) {
	for _, b := range l.books {
		if b == nil {
			continue
		}
		for seq := range b.size {
			switch b.get(seq) {
			case rejected:
				r.Rejected++
			case unknown:
				r.Unknown++
			case accepted:
				r.Accepted++
			}
		}
	}
	r.Sent = r.Accepted + r.Rejected + r.Unknown
}

// pause waits a while, or returns false if ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
