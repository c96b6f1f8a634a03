package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Causes of the end of a request that did not end by itself.
var (
	errTimeout = errors.New("not answered in time")
	errAborted = errors.New("the run was aborted")
)

// Config says how requests are sent. Client and BaseURL are needed.
type Config struct {
	Client  loadtest.Client
	BaseURL string
	Start   time.Time // of the run: what times in samples count from
	// Through is used in place of the transport that Client names, by tests.
	Through http.RoundTripper
}

// Request is one request. Send and what it starts only read it.
type Request struct {
	Method string
	URL    *url.URL
	Host   string // "": that of URL
	Header http.Header
	Body   []byte
	Expect *loadtest.Expect
}

// Probe sends requests. Its methods may be called concurrently.
type Probe struct {
	start     time.Time
	timeout   time.Duration
	table     *table
	dialer    *dialer
	chunks    *chunks
	transport transport
}

// transport is an HTTP client.
type transport interface {
	// exchange sends the request of f and reads the answer into a. It marks on
	// f what happens when, and returns soon after f was cancelled.
	exchange(f *flight, a *answer) error
	// close closes idle connections.
	close()
}

// Check returns what is wrong with a config, and what to write instead.
func Check(c Config) error {
	base, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || base.Host == "":
		return fmt.Errorf("base_url %q is none; write http://host:port", c.BaseURL)
	case c.Client.Timeout <= 0:
		return errors.New("client: requests need a timeout; write one, like 5s")
	case !slices.Contains([]loadtest.Transport{"", loadtest.NetHTTP, loadtest.FastHTTP}, c.Client.Transport):
		return fmt.Errorf("client: there is no transport %q; write nethttp or fasthttp", c.Client.Transport)
	}
	return nil
}

// New returns a probe. [Probe.Run] must run beside it: it keeps the time-outs.
func New(c Config) (*Probe, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	p := &Probe{
		start: c.Start, timeout: c.Client.Timeout, table: newTable(), dialer: newDialer(c.Client.Timeout), chunks: newChunks(),
	}
	switch {
	case c.Through != nil:
		p.transport = &netHTTP{probe: p, client: c.Through, idle: func() {}}
	case c.Client.Transport == loadtest.FastHTTP:
		base, _ := url.Parse(c.BaseURL) // has been checked
		p.transport = newFastHTTP(p, base, c.Client)
	default:
		p.transport = newNetHTTP(p, c.Client)
	}
	return p, nil
}

// now is the time since the start of the run.
func (p *Probe) now() time.Duration { return time.Since(p.start) }

// Send sends r, waits for the answer and writes into s when and what it was:
// Sent, First, Done, Outcome, Status, Class, BytesIn, BytesOut and Reused. The
// other fields of s are read, to tell the request from others while it is in
// flight. It returns whether r is no longer read by anybody: an answer may come
// before a request has been sent to its end.
func (p *Probe) Send(r *Request, s *loadtest.Sample) (free bool) {
	var a answer
	sent := p.now()
	f := p.table.begin(r, s, sent)
	err := p.transport.exchange(f, &a)
	s.Done = p.now()

	s.Sent, s.First, s.Status = sent, time.Duration(f.first.Load()), a.status
	s.BytesIn, s.Reused = a.bytes, f.reused
	if free = f.wrote.Load(); free {
		s.BytesOut = int64(len(r.Body))
	}
	if err == nil && f.attempts > 1 { // the client below began again, on another connection
		err = errUnused
	}
	if err == nil {
		s.Outcome, s.Class = examine(r.Expect, &a)
	} else {
		s.Outcome, s.Class = classify(err, f)
		if s.Outcome == loadtest.Broken && r.Expect.Closed && closed(s.Class) {
			s.Outcome, s.Class = loadtest.OK, ""
		}
		if s.Outcome == loadtest.OwnFault {
			s.Sent = 0
		}
	}
	p.table.end(f, err == nil && free)
	return free
}

// Run ends requests that take too long, until ctx ends.
func (p *Probe) Run(ctx context.Context) error {
	timer := time.NewTimer(p.timeout)
	defer timer.Stop()
	for {
		// What is sent from now on has until then at least.
		timer.Reset(p.table.expire(p.now(), p.timeout))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Abort ends all requests that are in flight, and those that are sent later.
func (p *Probe) Abort() {
	p.dialer.abort()
	p.table.abort()
}

// Close closes all connections. Nothing may be in flight.
func (p *Probe) Close() {
	p.transport.close()
	p.dialer.close()
}

// InFlight is a request that has been sent and not been answered to the end.
type InFlight struct {
	Traffic, Phase int
	Seq, Of        uint64 // as in [loadtest.Sample]
	Due, Sent      time.Duration
	First          time.Duration // of the answer's first byte; 0: there has been none
}

// Inflight returns the most that are in flight, oldest first, and how many there are.
func (p *Probe) Inflight(most int) ([]InFlight, int) { return p.table.oldest(most) }

// Connections returns how many connections are open, and how many have been
// asked for so far.
func (p *Probe) Connections() (open int, dialed uint64) { return p.dialer.counts() }
