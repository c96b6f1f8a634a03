package deadlock

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
)

const (
	mostKills     = 1024        // that wait to be looked at
	mostInquiries = 8           // open at once; what comes then joins the newest
	linger        = time.Second // how long an inquiry stays open after its last kill
	lookEvery     = time.Second
	recordWithin  = 5 * time.Second // then it is said that storing hangs
)

// Config is what a [Detector] needs.
type Config struct {
	// Region is the process's own part of the scoreboard.
	Region *scoreboard.Region
	// Routes names the routes of the scoreboard, in order.
	Routes []string
	// Graph is the process's tracked locks; nil if it has none.
	Graph *lock.Graph
	// Record stores an incident and the dump that belongs to it, which may be
	// empty. It is called once more for the same incident if more requests
	// joined it. One goroutine at a time calls it. It may hang.
	Record func(i watchdog.Incident, dump []byte) error
	// Taker takes the dumps; nil if nobody else in the process does.
	Taker *selfdump.Taker
	Log   *slog.Logger
}

// Validate reports what is missing.
func (c Config) Validate() error {
	switch {
	case c.Region == nil:
		return errors.New("deadlock detector: no region")
	case c.Record == nil:
		return errors.New("deadlock detector: nowhere to record incidents")
	case c.Log == nil:
		return errors.New("deadlock detector: no log")
	}
	return nil
}

// Detector looks into what does not end in this process. There is to be one.
type Detector struct {
	config  Config
	kills   chan watchdog.Kill
	dropped atomic.Uint64 // kills that found no room

	// All below belongs to the goroutine of Run.
	open     []*inquiry
	limits   limits
	late     time.Duration // see recorder
	recorder *recorder
	waits    map[string]wait  // by route
	proven   map[uint64]bool  // cycles that were written down
	warned   map[holdKey]bool // locks that were said to be held for long
}

// New returns a detector that does nothing before [Detector.Run].
func New(c Config) (*Detector, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Taker == nil {
		c.Taker = selfdump.NewTaker(c.Region)
	}
	return &Detector{
		config: c,
		kills:  make(chan watchdog.Kill, mostKills),
		limits: limits{apart: dumpsApart}, late: recordWithin,
		waits: map[string]wait{}, proven: map[uint64]bool{}, warned: map[holdKey]bool{},
	}, nil
}

// Killed tells of a request that was given up. It never blocks: those for
// which there is no room are counted only.
func (d *Detector) Killed(k watchdog.Kill) {
	select {
	case d.kills <- k:
	default:
		d.dropped.Add(1)
	}
}

// Run looks into what [Detector.Killed] tells until ctx ends. Then it stores
// what it knows and returns nil, once, when its goroutines are gone; a Record
// that hangs it leaves behind after a few seconds.
func (d *Detector) Run(ctx context.Context) error {
	d.recorder = newRecorder(d.config.Record, d.config.Log, d.late)
	var wg sync.WaitGroup
	wg.Go(d.recorder.run)
	defer wg.Wait()
	defer d.recorder.close()

	tick := time.NewTimer(scoreboard.Leisurely(scoreboard.Now(), lookEvery))
	defer tick.Stop()
	for {
		select {
		case k := <-d.kills:
			d.take(k)
			d.drain()
			d.look(ctx)
		case now := <-tick.C:
			d.finish(now)
			d.watch(ctx, now)
			tick.Reset(scoreboard.Leisurely(scoreboard.Now(), lookEvery))
		case <-ctx.Done():
			d.drain()
			d.look(ctx)
			d.finish(time.Now().Add(2 * linger))
			return nil
		}
	}
}

// drain takes all kills that have arrived.
func (d *Detector) drain() {
	for {
		select {
		case k := <-d.kills:
			d.take(k)
		default:
			return
		}
	}
}

// take adds a kill to the inquiry of its incident.
func (d *Detector) take(k watchdog.Kill) {
	for _, q := range d.open {
		if q.id == k.Incident {
			q.add(k)
			return
		}
	}
	if len(d.open) >= mostInquiries {
		d.open[len(d.open)-1].fold(k)
		return
	}
	q := newInquiry(k.Incident, k.At)
	q.add(k)
	d.open = append(d.open, q)
}

// look looks into the inquiries that are new.
func (d *Detector) look(ctx context.Context) {
	var e *evidence
	for i := 0; i < len(d.open); i++ { // kills that arrive meanwhile may open more
		q := d.open[i]
		if q.looked {
			continue
		}
		if e == nil || time.Since(e.at) > lookEvery {
			e = d.collect()
		}
		q.evidence = e
		d.inquire(ctx, q)
	}
}

// finish closes the inquiries that have had no kill for a while.
func (d *Detector) finish(now time.Time) {
	keep := d.open[:0]
	for _, q := range d.open {
		if now.Sub(q.last) < linger {
			keep = append(keep, q)
			continue
		}
		if q.changed {
			d.record(q, nil)
		}
	}
	clear(d.open[len(keep):])
	d.open = keep
}
