package transcript

import (
	"context"
	"time"

	"github.com/seadog/seadog/deployer"
)

const (
	pollEvery = 150 * time.Millisecond
	batchSize = 512 // records sent at once
	ahead     = 4   // batches that may wait for a follower
	// patience is how long a follower may take nothing while something waits for it.
	patience = 15 * time.Second
)

// Tailer follows transcripts for many readers at once. One goroutine, the
// caller of Run, reads for all of them; followers at the same place share what
// was read. A follower that is behind is not read for until it takes
// what waits, so it costs no memory, and one that takes nothing for 15 s is dropped.
type Tailer struct {
	book Book
	join chan *follower
	over chan struct{}
}

// follower is owned by Run after it was handed over.
type follower struct {
	deployment int64
	at         Position
	gone       <-chan struct{}
	records    chan []Record
	took       time.Time // when there was last room for more
}

// place is what followers have in common that share a read.
type place struct {
	deployment int64
	at         Position
}

// NewTailer returns a tailer that does nothing until it is run.
func NewTailer(b Book) *Tailer {
	return &Tailer{book: b, join: make(chan *follower), over: make(chan struct{})}
}

// Run serves followers until ctx ends; then it closes all their channels. It
// must be called once.
func (t *Tailer) Run(ctx context.Context) error {
	var followers []*follower
	defer func() {
		close(t.over)
		for _, f := range followers {
			close(f.records)
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		tick := timer.C
		if len(followers) == 0 {
			tick = nil // nobody to poll for
		}
		select {
		case <-ctx.Done():
			return nil
		case f := <-t.join:
			followers = append(followers, f)
			timer.Reset(0)
		case <-tick:
			var more bool
			if followers, more = t.serve(followers, time.Now()); more {
				timer.Reset(0)
			} else {
				timer.Reset(pollEvery)
			}
		}
	}
}

// Follow returns the records of a deployment from a position on, as they are
// written. The slices are shared: they must not be changed. The channel is
// closed when ctx or the tailer ends, when the transcript cannot be read, or when the
// reader took nothing for 15 s; it can go on from the last record's Next.
//
// The error is CodeInvalid for a position that does not exist, and
// CodeUnavailable if the tailer has ended.
func (t *Tailer) Follow(ctx context.Context, deployment int64, from Position) (<-chan []Record, error) {
	if !from.valid() {
		return nil, deployer.Errorf(deployer.CodeInvalid, "%s is no position in a log", from)
	}
	f := &follower{
		deployment: deployment, at: from, gone: ctx.Done(),
		records: make(chan []Record, ahead), took: time.Now(),
	}
	select {
	case t.join <- f:
		return f.records, nil
	case <-t.over:
		return nil, deployer.Errorf(deployer.CodeUnavailable, "logs are not followed any more").WithHint("connect again")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve reads once for every place that has a follower with room, hands on
// what is there, and returns the followers that stay. more means that there is
// more to read at once.
func (t *Tailer) serve(followers []*follower, now time.Time) (stay []*follower, more bool) {
	ready := map[place][]*follower{}
	for _, f := range followers {
		switch {
		case f.left(), len(f.records) == cap(f.records) && now.Sub(f.took) > patience:
			close(f.records)
			continue
		case len(f.records) < cap(f.records):
			f.took = now
			p := place{f.deployment, f.at}
			ready[p] = append(ready[p], f)
		}
		stay = append(stay, f)
	}
	broken := map[*follower]bool{}
	for p, group := range ready {
		records, next, err := t.book.Read(p.deployment, p.at, batchSize)
		for _, f := range group {
			f.at = next
			if len(records) > 0 {
				f.records <- records // there is room, and nobody else sends
			}
			if err != nil {
				close(f.records)
				broken[f] = true
			}
		}
		more = more || len(records) == batchSize
	}
	if len(broken) > 0 {
		stay = without(stay, broken)
	}
	return stay, more
}

func without(list []*follower, gone map[*follower]bool) []*follower {
	var rest []*follower
	for _, f := range list {
		if !gone[f] {
			rest = append(rest, f)
		}
	}
	return rest
}

func (f *follower) left() bool {
	select {
	case <-f.gone:
		return true
	default:
		return false
	}
}
