package hang

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest/observe"
)

const (
	atOnce    = 1500 * time.Millisecond // for each piece of evidence
	whenEnded = 400 * time.Millisecond  // for what is left when the run ends
)

// evidence is what was gathered about one or more hangs that began together.
type evidence struct {
	dir   string // below the report's directory
	began time.Duration

	mu       sync.Mutex
	done     bool
	files    []string
	notes    []string
	deadlock string
}

func (e *evidence) told() (files, notes []string, deadlock string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(slices.Values(e.files)), slices.Clone(e.notes), e.deadlock
}

func (e *evidence) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = append(e.notes, fmt.Sprintf(format, args...))
}

// gatherer gathers evidence.
type gatherer struct {
	config *Config
	last   *evidence // of Run's goroutine alone
	n      int

	mu   sync.Mutex
	idle []Stack // of the service before the load
}

func newGatherer(c *Config) *gatherer { return &gatherer{config: c} }

// atRest takes the dump that tells later who only waits for work.
func (g *gatherer) atRest(ctx context.Context) {
	if g.config.Scenario.Target.Pprof.URL == "" || g.config.Parse == nil {
		return
	}
	p := newInquiry(g.config)
	dump, err := p.dump(ctx)
	if err != nil {
		return // if it matters, the event will say that it does not answer
	}
	idle, _ := g.config.Parse(dump)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = idle
}

// next returns the evidence for an event that begins; fresh if it has to be
// gathered. nil: there was enough.
func (g *gatherer) next(at time.Duration) (e *evidence, fresh bool) {
	if g.last != nil {
		g.last.mu.Lock()
		running := !g.last.done
		g.last.mu.Unlock()
		if running || at-g.last.began < sharedFor {
			return g.last, false
		}
	}
	if g.n == mostEvidence {
		return nil, false
	}
	g.n++
	g.last = &evidence{dir: fmt.Sprintf("hang-%d", g.n), began: at}
	return g.last, true
}

// gather gathers everything now, and the dumps again a while later, or when ctx
// ends. Then it may take some moments more, but no longer.
func (g *gatherer) gather(ctx context.Context, e *evidence, f *facts) {
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.done = true
	}()
	if g.config.Dir != "" {
		if err := os.MkdirAll(filepath.Join(g.config.Dir, e.dir), 0o755); err != nil {
			e.note("there is no evidence: %v", err)
			return
		}
	}
	c := &gathering{gatherer: g, evidence: e, inquiry: newInquiry(g.config)}
	if pid, err := observe.PID(g.config.Scenario.Target); err == nil {
		c.pid = pid
	} else if g.config.Scenario.Target.PIDFile != "" {
		e.note("its process is not known: %v", err)
	}
	var before, after look
	work, cancel := outlast(ctx, atOnce)
	c.inflight(f)
	c.metrics()
	c.all(
		func() { before = c.look(work, 1) },
		func() { c.profile(work, "goroutineleak") },
		func() { c.profile(work, "mutex") },
		func() { c.profile(work, "block") },
		func() { c.flight(work) },
		func() { c.incidents(work) },
	)
	cancel()
	select {
	case <-time.After(g.config.Apart):
	case <-ctx.Done():
	}
	work, cancel = outlast(ctx, atOnce)
	defer cancel()
	after = c.look(work, 2)
	c.conclude(before, after)
	if after.err != nil && len(after.asked) == 0 && g.config.AllowSIGQUIT {
		c.quit(work)
	}
}

// outlast returns a context that ends after d, or a moment after ctx has ended,
// so that what was begun is not thrown away.
func outlast(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(whenEnded)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	})
	return work, func() {
		stop()
		cancel()
	}
}

// gathering is one time that evidence is gathered.
type gathering struct {
	*gatherer
	evidence *evidence
	inquiry  *inquiry
	pid      int // 0: not known
}

// look is what was seen of the service at one time.
type look struct {
	at        time.Time
	dump      []byte
	err       error          // there is no dump
	asked     map[int][]byte // dumps of processes that answer questions, by pid
	processes []process
}

func (c *gathering) look(ctx context.Context, n int) look {
	l := look{at: time.Now()}
	c.all(
		func() {
			if l.dump, l.err = c.inquiry.dump(ctx); len(l.dump) > 0 {
				c.file(fmt.Sprintf("goroutines-%d.txt", n), l.dump)
			}
		},
		func() { l.asked = c.ask(ctx, n) },
		func() {
			if c.pid == 0 {
				return
			}
			if l.processes = tree(c.pid); len(l.processes) == 0 {
				c.evidence.note("there is no process %d", c.pid)
				return
			}
			c.file(fmt.Sprintf("processes-%d.txt", n), write(l.processes))
		},
	)
	return l
}

// all runs pieces beside each other, and waits for them.
func (c *gathering) all(pieces ...func()) {
	var wg sync.WaitGroup
	for _, piece := range pieces {
		wg.Go(piece)
	}
	wg.Wait()
}

// file writes evidence.
func (c *gathering) file(name string, text []byte) {
	if c.config.Dir == "" {
		return
	}
	name = filepath.Join(c.evidence.dir, name)
	if err := os.WriteFile(filepath.Join(c.config.Dir, name), text, 0o644); err != nil {
		c.evidence.note("evidence was not written: %v", err)
		return
	}
	c.evidence.mu.Lock()
	defer c.evidence.mu.Unlock()
	c.evidence.files = append(c.evidence.files, name)
}

// inflight writes our own requests that were out when the event began.
func (c *gathering) inflight(f *facts) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "at %s of the run, %d requests had been completed, and these were out, oldest first:\n", round(f.at), f.completed)
	for _, r := range f.inflight {
		answer := "no first byte"
		if r.First > 0 {
			answer = fmt.Sprintf("first byte after %s", round(r.First-r.Sent))
		}
		fmt.Fprintf(&b, "%12s old  %s %d, sent at %s, %s\n", round(f.at-r.Sent), r.Traffic, r.Seq, round(r.Sent), answer)
	}
	c.file("inflight.txt", b.Bytes())
}

// metrics writes the last metrics that the service gave.
func (c *gathering) metrics() {
	if c.config.Observer == nil {
		return
	}
	if text, at := c.config.Observer.Text(); text != nil {
		c.file("metrics.txt", append(fmt.Appendf(nil, "# of %s of the run\n", round(at)), text...))
	}
}
