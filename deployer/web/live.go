package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

const mimeEvents = "text/event-stream"

// topic is a page that can be looked at again.
type topic struct {
	path  string
	kind  string // first segment of the path
	name  string // second segment
	query url.Values
}

func parseTopic(text string) (topic, error) {
	wrong := deployer.Errorf(deployer.CodeInvalid, "that is no page")
	const longest = 500
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.Path, "/") || u.Host != "" || len(text) > longest {
		return topic{}, wrong
	}
	t := topic{path: u.Path}
	if t.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return topic{}, wrong
	}
	t.kind, t.name, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return t, nil
}

func (t topic) number(name string) int {
	n, err := strconv.Atoi(t.query.Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (t topic) id() int {
	n, err := strconv.Atoi(t.name)
	if err != nil {
		return 0
	}
	return n
}

// version tells two states of a view apart.
func (s view) version() (string, error) {
	text, err := json.Marshal(s.data)
	if err != nil {
		return "", fmt.Errorf("compare %s: %w", s.topic, err)
	}
	return fingerprint(text), nil
}

func fingerprint(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// state is a view as it is sent to pages that are open: its parts as HTML.
type state struct {
	version string
	parts   map[string]string
	of      string
	final   bool // nothing will change any more
}

// lookouts let everybody who has the same page open share one look at it per
// Limits.Poll. There is no goroutine: the first who finds what is known too old
// looks, the others wait.
type lookouts struct {
	ui *UI

	mu    sync.Mutex
	known map[string]*lookout
}

// lookout is one page that somebody has open.
type lookout struct {
	topic   string
	viewers int // guarded by lookouts.mu

	mu     sync.Mutex // held while looking
	looked time.Time
	last   state
}

func newLookouts(u *UI) *lookouts { return &lookouts{ui: u, known: make(map[string]*lookout)} }

// enter announces a viewer; leave must follow.
func (l *lookouts) enter(topic string) *lookout {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.known[topic]
	if one == nil {
		one = &lookout{topic: topic}
		l.known[topic] = one
	}
	one.viewers++
	return one
}

func (l *lookouts) leave(one *lookout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.viewers--; one.viewers == 0 {
		delete(l.known, one.topic)
	}
}

// look returns the page as it was at most Limits.Poll ago, or, while the store
// does not answer, as it was last seen.
func (l *lookouts) look(ctx context.Context, one *lookout) state {
	one.mu.Lock()
	defer one.mu.Unlock()
	if time.Since(one.looked) < l.ui.cfg.Limits.Poll {
		return one.last
	}
	ctx, cancel := l.ui.within(ctx)
	defer cancel()
	seen, err := l.ui.viewOf(ctx, one.topic)
	if err == nil {
		var now state
		if now, err = l.ui.render(seen, one.last); err == nil {
			one.last = now
		}
	}
	if err != nil && ctx.Err() == nil {
		l.ui.cfg.Log.Warn("an open page is not up to date", deployer.KeyPage, one.topic, deployer.KeyError, err)
	}
	one.looked = time.Now()
	return one.last
}

// render makes the parts of a view, unless they are those of before.
func (u *UI) render(seen view, before state) (state, error) {
	version, err := seen.version()
	if err != nil || version == before.version {
		return before, err
	}
	now := state{version: version, parts: make(map[string]string, len(seen.parts)), of: seen.state, final: seen.state == stateOver}
	for _, part := range seen.parts {
		var out bytes.Buffer
		if err := u.pages[seen.page].ExecuteTemplate(&out, part, frame{Data: seen.data}); err != nil {
			return before, fmt.Errorf("make part %s of %s: %w", part, seen.page, err)
		}
		now.parts[part] = out.String()
	}
	return now, nil
}

// change is what an open page is told: the parts that differ from what it shows.
type change struct {
	Version string            `json:"version"`
	State   string            `json:"state,omitempty"`
	Parts   map[string]string `json:"parts"`
}

// viewer knows what one open page shows.
type viewer struct {
	shown   map[string]string
	version string
}

// news returns the event that brings a page up to date, nil if it is.
func (w *viewer) news(now state) ([]byte, error) {
	if now.version == w.version || now.version == "" {
		if w.shown == nil {
			w.shown = now.parts
		}
		return nil, nil
	}
	c := change{Version: now.version, State: now.of, Parts: make(map[string]string)}
	for name, html := range now.parts {
		if w.shown == nil || w.shown[name] != html {
			c.Parts[name] = html
		}
	}
	w.shown, w.version = maps.Clone(now.parts), now.version
	return event("change", now.version, c)
}

// event writes one server-sent event. JSON has no line breaks of its own.
func event(kind, id string, data any) ([]byte, error) {
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	var out bytes.Buffer
	if id != "" {
		fmt.Fprintf(&out, "id: %s\n", id)
	}
	fmt.Fprintf(&out, "event: %s\ndata: %s\n\n", kind, encoded)
	return out.Bytes(), nil
}

// Parts of every stream.
var (
	eventRetry = []byte("retry: 1000\n\n")
	eventAlive = []byte(": still here\n\n")
	eventLeave = []byte("event: leave\ndata: {}\n\n") // the session is over
)

// live answers GET /live?of=PAGE&seen=VERSION: what changes on a page, as long
// as it is open. Its events are "change", whose id is the version that the page
// shows then, and "leave".
func (u *UI) live(v *visit) error {
	of, seen := v.text("of"), v.text("seen")
	if last := v.c.Get("Last-Event-ID"); last != "" {
		seen = strings.Clone(last)
	}
	if _, err := parseTopic(of); err != nil {
		return err
	}
	if _, err := u.viewOf(v.Context(), of); err != nil {
		return err
	}
	holder := v.session
	return v.Stream(mimeEvents, func(st *httpd.Stream) error { return u.keepUp(st, of, seen, holder) })
}

// keepUp sends changes until the client is gone or the server is stopped.
func (u *UI) keepUp(st *httpd.Stream, of, seen string, holder session) error {
	one := u.looks.enter(of)
	defer u.looks.leave(one)
	page := viewer{version: seen}
	hello := eventRetry // after the first look: from then on, what is sent is what changed
	poll := time.NewTicker(u.cfg.Limits.Poll)
	defer poll.Stop()
	heartbeat := time.NewTicker(u.cfg.Limits.Heartbeat)
	defer heartbeat.Stop()
	for {
		news, err := page.news(u.looks.look(st.Context(), one))
		if err != nil {
			return err
		}
		if err := st.Send(slices.Concat(hello, news)); err != nil {
			return err
		}
		hello = nil
		select {
		case <-st.Context().Done():
			return nil
		case <-st.Gone():
			return nil
		case <-poll.C:
		case <-heartbeat.C:
			if !u.sessions.lasts(holder) {
				return st.Send(eventLeave)
			}
			if err := st.Send(eventAlive); err != nil {
				return err
			}
		}
	}
}
