package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

// Observer counts requests. Its methods are called from the goroutines of
// connections and must not block. Routes are patterns of the route table.
type Observer interface {
	Request(route string, status int)
	OverBudget(route string)
	// Unverified is told of a delivery whose secret or signature is wrong.
	Unverified(provider deployer.Provider)
}

// Recorder keeps deliveries as they came in. It is called from the goroutines of
// connections, must not block, and must not keep what belongs to the request;
// see [deployer.RawDelivery].
type Recorder interface{ Record(d deployer.RawDelivery) }

// Book reads what was printed so far; [transcript.Book] is one.
type Book interface {
	Read(deployment int64, from transcript.Position, most int) ([]transcript.Record, transcript.Position, error)
}

// Tailer follows what is being printed; *[transcript.Tailer] is one. The
// channel is closed when ctx ends or the reader is too slow.
type Tailer interface {
	Follow(ctx context.Context, deployment int64, from transcript.Position) (<-chan []transcript.Record, error)
}

// Limits bound what a client can make the server do. Zero fields get the
// default in their comment.
type Limits struct {
	Body          int64         // bytes of one webhook; 26 MiB
	BodyBudget    int64         // bytes of all bodies that are being read or verified; 256 MiB
	BodyWait      time.Duration // how long a body waits for its share of the budget; 10 s (a forge has given up by then)
	HeaderTimeout time.Duration // for the header of a request; 10 s
	BodyTimeout   time.Duration // for the body of a request; 30 s
	IdleTimeout   time.Duration // of a kept-alive connection; 75 s
	WriteTimeout  time.Duration // for one answer, or one piece of a live log, to be taken by the client; 20 s
	Connections   int           // at once; 16,384
	Streams       int           // live logs and live pages at once; 1,024
	QueryBudget   int           // queries per request before it is named in log and metrics; 16
	AcceptTimeout time.Duration // for making a delivery durable; 3 s
	CallTimeout   time.Duration // for answering an API call; 5 s
	Drain         time.Duration // for requests under way when the server is stopped; 10 s
	Poll          time.Duration // between two looks at a deployment whose log is followed; 1 s
	Heartbeat     time.Duration // between two signs of life in a silent live log; 15 s
}

func (l *Limits) complete() error {
	for _, f := range []struct {
		field    *int64
		standard int64
	}{{&l.Body, 26 << 20}, {&l.BodyBudget, 256 << 20}} {
		if *f.field < 0 {
			return errors.New("negative size limit")
		}
		if *f.field == 0 {
			*f.field = f.standard
		}
	}
	for _, f := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&l.BodyWait, 10 * time.Second},
		{&l.HeaderTimeout, 10 * time.Second},
		{&l.BodyTimeout, 30 * time.Second},
		{&l.IdleTimeout, 75 * time.Second},
		{&l.WriteTimeout, 20 * time.Second},
		{&l.AcceptTimeout, 3 * time.Second},
		{&l.CallTimeout, 5 * time.Second},
		{&l.Drain, 10 * time.Second},
		{&l.Poll, time.Second},
		{&l.Heartbeat, 15 * time.Second},
	} {
		if *f.field < 0 {
			return errors.New("negative time limit")
		}
		if *f.field == 0 {
			*f.field = f.standard
		}
	}
	for _, f := range []struct {
		field    *int
		standard int
	}{{&l.Connections, 16384}, {&l.Streams, 1024}, {&l.QueryBudget, 16}} {
		if *f.field < 0 {
			return errors.New("negative number limit")
		}
		if *f.field == 0 {
			*f.field = f.standard
		}
	}
	if l.BodyBudget-l.BodyBudget/smallShare < l.Body {
		return fmt.Errorf("a body budget of %d bytes leaves no room for one body of %d", l.BodyBudget, l.Body)
	}
	return nil
}

// Config is what a [Server] works with.
type Config struct {
	Hooks    []deployer.Hook
	Projects []deployer.Project
	Tokens   Tokens
	// Insecure lets everybody do everything if there are no Tokens, and accepts
	// deliveries unverified on hooks that have no secret.
	Insecure bool

	Store  deployer.Store
	Book   Book
	Tailer Tailer
	Ring   func() // wakes the runners; may be nil, must not block

	Limits         Limits
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and -Proto are believed
	Version        string

	Site Site // served beside the API

	Observer Observer // may be nil
	Recorder Recorder // may be nil
	Warden   Warden   // may be nil
	Log      *slog.Logger
	Now      func() time.Time // time.Now if nil
}

func (c *Config) complete() error {
	switch {
	case c.Store == nil:
		return errors.New("httpd: no store")
	case c.Book == nil || c.Tailer == nil:
		return errors.New("httpd: no transcripts")
	case c.Log == nil:
		return errors.New("httpd: no log")
	case len(c.Tokens) == 0 && !c.Insecure:
		return errors.New("httpd: no token, and not insecure")
	}
	if err := c.Limits.complete(); err != nil {
		return fmt.Errorf("httpd: %w", err)
	}
	if err := c.checkNames(); err != nil {
		return fmt.Errorf("httpd: %w", err)
	}
	if c.Ring == nil {
		c.Ring = func() {}
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// checkNames finds what would make a route or an answer ambiguous.
func (c *Config) checkNames() error {
	projects := make(map[string]bool)
	for _, p := range c.Projects {
		if !deployer.ValidName(p.Name) || projects[p.Name] {
			return fmt.Errorf("project name %q is invalid or used twice", p.Name)
		}
		projects[p.Name] = true
	}
	hooks := make(map[string]bool)
	for _, h := range c.Hooks {
		if !deployer.ValidName(h.Name) || hooks[h.Name] {
			return fmt.Errorf("hook name %q is invalid or used twice", h.Name)
		}
		hooks[h.Name] = true
		for _, name := range h.Projects {
			if !projects[name] {
				return fmt.Errorf("hook %s feeds unknown project %q", h.Name, name)
			}
		}
	}
	return nil
}

// nobody counts nothing.
type nobody struct{}

func (nobody) Request(string, int)          {}
func (nobody) OverBudget(string)            {}
func (nobody) Unverified(deployer.Provider) {}
