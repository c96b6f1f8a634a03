package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

// stopGrace is what a service may take to end. A runner in the middle of a
// deployment has its own 30 s in that.
const stopGrace = 60 * time.Second

// faultVariable tells a service which of its countermeasures to leave out.
const faultVariable = "SEADOG_FAULT"

// service is what a scenario is run against: `seadog serve` or `seadog lab`,
// with everything around it.
type service struct {
	wanted
	gate     *gate
	dir      string
	url      string // of what the load goes to
	admin    string // of metrics
	token    string
	secret   string // of all webhooks
	child    process
	forge    *forge
	releases *releases
	projects []string
	proxies  *proxy.Proxies
	undo     []func(context.Context) error // last first
}

// process is what serves.
type process interface {
	PID() int
	Exited() <-chan struct{}
	Stop(grace time.Duration) error
	LastLines() error
}

// start starts the service that w describes. If it fails, nothing is left.
func (g *gate) start(ctx context.Context, w wanted) (s *service, err error) {
	s = &service{wanted: w, gate: g, token: scene.RandomHex(24), secret: scene.RandomHex(24), proxies: proxy.New(g.Log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop(context.WithoutCancel(ctx)))
			s = nil
		}
	}()
	if s.dir, err = os.MkdirTemp(g.scratch, w.kind+"-"); err != nil {
		return s, err
	}
	if w.kind == "uwsgi" {
		return s, s.startUWSGI()
	}
	ports, err := scene.FreePorts(2)
	if err != nil {
		return s, err
	}
	s.url, s.admin = fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	if w.kind == "lab" {
		return s, s.startLab(ctx, ports)
	}
	return s, s.startServe(ctx, ports)
}

func (s *service) startLab(ctx context.Context, ports []int) error {
	args := append([]string{
		"lab", "--listen", fmt.Sprintf("127.0.0.1:%d", ports[0]), "--admin", fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"--workers", fmt.Sprint(s.workers), "--data", filepath.Join(s.dir, "data"),
	}, s.flags...)
	return s.launch(ctx, scene.Command{
		Path: s.gate.Executable, Args: args, Env: s.environment(), Log: filepath.Join(s.dir, "lab.log"), Ready: s.url + "/health",
	})
}

func (s *service) startServe(ctx context.Context, ports []int) (err error) {
	repository := filepath.Join(s.dir, "repository")
	if s.releases, err = newReleases(ctx, repository, s.gate.image, s.wanted); err != nil {
		return fmt.Errorf("make the repository: %w", err)
	}
	if s.forge, err = newForge(ctx, repository); err != nil {
		return err
	}
	s.undo = append(s.undo, func(context.Context) error { return s.forge.close() })
	for i := range s.wanted.projects {
		name := fmt.Sprintf("%s-p%d", s.gate.image, i)
		s.projects = append(s.projects, name)
		s.undo = append(s.undo, func(ctx context.Context) error { return scene.RemoveProject(ctx, name) })
	}
	text, err := s.configuration(ctx, ports)
	if err != nil {
		return err
	}
	s.openProxies(ctx)
	config := filepath.Join(s.dir, "seadog.yml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return s.launch(ctx, scene.Command{
		Path: s.gate.Executable, Args: []string{"serve", "--config", config}, Env: s.environment(), Unread: s.unread,
		Log: filepath.Join(s.dir, "serve.log"), Ready: s.admin + "/readyz",
	})
}

func (s *service) launch(ctx context.Context, c scene.Command) error {
	child, err := scene.Start(ctx, c)
	if err != nil {
		return err
	}
	s.child = child
	return nil
}

// openProxies lets the proxies serve until the service is stopped.
func (s *service) openProxies(ctx context.Context) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.proxies.Run(running) })
	s.undo = append(s.undo, func(context.Context) error {
		cancel()
		wg.Wait()
		return nil
	})
}

// network is what faults of the network disturb; nil if there is none.
func (s *service) network() fault.Network {
	if len(s.wanted.proxies) == 0 {
		return nil
	}
	return s.proxies
}

// environment is what the service sees: what is left out, and what it is made
// to do wrong.
func (s *service) environment() []string {
	env := os.Environ()
	switch {
	case s.sabotage != "" && s.trouble != "":
		env = append(env, faultVariable+"="+s.sabotage+","+s.trouble)
	case s.sabotage+s.trouble != "":
		env = append(env, faultVariable+"="+s.sabotage+s.trouble)
	}
	return env
}

func (s *service) alive() bool {
	select {
	case <-s.child.Exited():
		return false
	default:
		return true
	}
}

// header is what the service's API wants to see.
func (s *service) header() http.Header {
	return http.Header{"Authorization": {"Bearer " + s.token}}
}

// aim fills in what a scenario cannot know: where its target is.
func (s *service) aim(sc *loadtest.Scenario) {
	t := &sc.Target
	t.BaseURL = s.url
	if s.kind == "uwsgi" {
		return
	}
	t.PID, t.Metrics.URL = s.child.PID(), s.admin+"/metrics"
	if s.kind != "serve" {
		return
	}
	t.Ledger = loadtest.Ledger{Kind: "seadog", URL: s.url + "/api/v1/deliveries", Header: s.header()}
	for i := range sc.Traffic {
		r := &sc.Traffic[i].Request
		r.Projects = s.projects
		if r.Body.Push != "" {
			r.Body.Repository, r.Body.Ref, r.Body.Commits = "gate/{{project}}", "refs/heads/"+scene.Branch, s.releases.commits
		}
		if r.Sign.Scheme != "" {
			r.Sign.Secret = s.secret
		}
		if r.Header == nil {
			r.Header = http.Header{}
		}
		if r.Method == http.MethodGet {
			r.Header.Set("Authorization", "Bearer "+s.token)
		}
	}
}

// note keeps what the service says about the run, and its log, beside the report.
// What cannot be had is left out: the report stands for itself.
func (s *service) note(ctx context.Context, dir string) {
	if os.MkdirAll(dir, 0o755) != nil {
		return
	}
	for _, log := range []string{"serve.log", "lab.log"} {
		if text, err := os.ReadFile(filepath.Join(s.dir, log)); err == nil {
			_ = os.WriteFile(filepath.Join(dir, log), text[max(0, len(text)-mostLog):], 0o644)
		}
	}
	if s.kind != "serve" {
		return
	}
	for name, path := range map[string]string{
		"deployments.json": "/api/v1/deployments?limit=200",
		"deliveries.json":  "/api/v1/deliveries?limit=200",
	} {
		var answer json.RawMessage
		if s.ask(ctx, path, &answer) == nil {
			_ = os.WriteFile(filepath.Join(dir, name), answer, 0o644)
		}
	}
}

const mostLog = 1 << 20

// stop ends the service and removes everything of it.
func (s *service) stop(ctx context.Context) error {
	var errs []error
	if s.child != nil {
		grace := stopGrace
		if s.sabotage != "" { // it has every reason not to end
			grace = time.Second
		}
		if err := s.child.Stop(grace); err != nil && s.sabotage == "" {
			errs = append(errs, fmt.Errorf("stop the service: %w", err), s.child.LastLines())
		}
	}
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i](ctx))
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
