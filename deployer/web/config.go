package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
)

// Book reads what deployments printed; [transcript.Book] is one.
type Book interface {
	httpd.Book
	Before(deployment int64, to transcript.Position, most int) ([]transcript.Record, transcript.Position, error)
}

// Config is what a [UI] works with.
type Config struct {
	Desk     *desk.Desk
	Store    deployer.Reader
	Projects []deployer.Project
	Hooks    []deployer.Hook
	Tokens   httpd.Tokens
	// Insecure lets everybody in, as an administrator, if there are no Tokens.
	Insecure bool

	Book   Book
	Tailer httpd.Tailer

	// Dir is the directory of the key and of sessions that were ended. It is
	// made, for its owner only, if it is not there.
	Dir     string
	Runners int // deployments that can run at the same time
	// These may be nil: then their pages say that there is nothing to see.
	Workers   Workers
	Incidents Incidents
	Reports   Reports
	Settings  func() ([]byte, error) // the effective configuration, secrets masked

	Limits  Limits
	Version string
	Log     *slog.Logger
	Now     func() time.Time // time.Now if nil
}

// Limits of the UI. Zero fields get the default in their comment.
type Limits struct {
	Session   time.Duration // how long one may stay signed in; 12 h
	Poll      time.Duration // between two looks at what a page shows; 1 s
	Heartbeat time.Duration // between two signs of life on a silent stream; 15 s
	Patience  time.Duration // for one look; 5 s
}

func (l *Limits) complete() error {
	for _, f := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&l.Session, 12 * time.Hour},
		{&l.Poll, time.Second},
		{&l.Heartbeat, 15 * time.Second},
		{&l.Patience, 5 * time.Second},
	} {
		if *f.field < 0 {
			return errors.New("web: negative time limit")
		}
		if *f.field == 0 {
			*f.field = f.standard
		}
	}
	return nil
}

func (c *Config) complete() error {
	switch {
	case c.Desk == nil || c.Store == nil:
		return errors.New("web: no desk, or no store")
	case c.Book == nil || c.Tailer == nil:
		return errors.New("web: no transcripts")
	case c.Dir == "":
		return errors.New("web: no directory")
	case c.Log == nil:
		return errors.New("web: no log")
	case len(c.Tokens) == 0 && !c.Insecure:
		return errors.New("web: no token, and not insecure")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c.Limits.complete()
}

// UI answers requests for pages. Its methods may be called concurrently.
type UI struct {
	cfg      Config
	sessions *sessions
	devices  sealer
	attempts *attempts
	pages    map[string]*template.Template
	assets   map[string]asset
	looks    *lookouts
	pieces   *pieces
	pace     pace
}

// New returns a UI. It makes the key of sessions if nobody did before.
func New(c Config) (*UI, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("web: make the directory of sessions: %w", err)
	}
	key, err := OpenKey(filepath.Join(c.Dir, "key"))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	u := &UI{cfg: c, attempts: newAttempts(), pieces: newPieces()}
	if err := u.secure(key); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if u.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if u.pages, err = u.parseTemplates(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	u.looks = newLookouts(u)
	return u, nil
}

// secure makes what the key is needed for.
func (u *UI) secure(key Key) error {
	sealed, err := newSealer(key, "session")
	if err != nil {
		return err
	}
	if u.devices, err = newSealer(key, "device"); err != nil {
		return err
	}
	form, err := derive(key, "form")
	if err != nil {
		return err
	}
	u.sessions = &sessions{
		sealer: sealed, form: form, tokens: u.cfg.Tokens, open: len(u.cfg.Tokens) == 0, long: u.cfg.Limits.Session, now: u.cfg.Now,
		ended: &signedOut{path: filepath.Join(u.cfg.Dir, "signed-out"), now: u.cfg.Now},
	}
	return nil
}

// Site returns the pages, to be served.
func (u *UI) Site() httpd.Site {
	site := httpd.Site{Fail: u.fail}
	for _, r := range u.routes() {
		site.Pages = append(site.Pages, httpd.Page{
			Method: r.method, Path: r.path, Body: r.body, Stream: r.stream,
			Handle: func(v *httpd.Visit) error { return u.serve(v, r) },
		})
	}
	return site
}

// Routes returns what requests for pages are counted by.
func Routes() []string {
	var labels []string
	seen := map[string]bool{}
	for _, r := range (*UI)(nil).routes() {
		if !seen[r.path] {
			seen[r.path] = true
			labels = append(labels, r.path)
		}
	}
	return labels
}

// within returns a context for one look at the store.
func (u *UI) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, u.cfg.Limits.Patience)
}

// methods of the routes.
const (
	get  = http.MethodGet
	post = http.MethodPost
)
