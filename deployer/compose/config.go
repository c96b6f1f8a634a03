package compose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer/process"
)

// maxModel bounds what is kept of Compose's answer.
const maxModel = 16 << 20

// Model is a Compose project after its files were merged and interpolated,
// without the services that no profile enables.
type Model struct {
	Services []Service // sorted by name
	Warnings []string  // what Compose, or we, want the user to know
}

// Service is one service of a [Model].
type Service struct {
	Name        string
	Image       string // as Compose will ask for it, also for images that are built here
	Build       bool   // the image is built here
	PullPolicy  string
	Replicas    int // containers
	Restart     string
	HealthCheck bool // the Compose file defines one (the image may, too)
	Binds       []Bind
}

// Bind is a path of the host that a service mounts.
type Bind struct {
	Source string
	Target string
	Inside bool // the worktree
}

func (s Service) pulled() bool { return !s.Build && s.Image != "" && s.PullPolicy != "never" }

// Config resolves the project's files and checks that nothing in them leads
// out of the worktree. It reads no env_file of a service and touches no container.
//
// The command's output holds the values of variables; it is decoded and dropped.
// Its Line is set by the Stack: an Exec that records output must record only that of commands without one.
func (s Stack) Config(ctx context.Context) (Model, error) {
	c, err := s.command(nil, "config", "--format", "json", "--no-env-resolution")
	if err != nil {
		return Model{}, err
	}
	out, warnings, err := s.capture(ctx, c)
	var said *Failure
	if errors.As(err, &said) && said.Exit.Code > 0 {
		return Model{}, invalid("%s", said) // Compose read the files and did not like them
	}
	if err != nil {
		return Model{}, err
	}
	t, err := openTree(s.Worktree)
	if err != nil {
		return Model{}, err
	}
	defer t.close()
	m, err := s.decode(t, []byte(out))
	m.Warnings = append(warnings, m.Warnings...)
	return m, err
}

// capture runs c and returns its standard output without line ends, which no
// JSON text needs, and the lines of its standard error.
func (s Stack) capture(ctx context.Context, c process.Command) (out string, errs []string, err error) {
	var b strings.Builder
	c.Line = func(stream process.Stream, line []byte) {
		switch {
		case stream == process.Stderr:
			errs = append(errs, explain(string(line)))
		case b.Len()+len(line) <= maxModel:
			b.Write(line)
		}
	}
	err = s.run(ctx, c)
	return b.String(), errs, err
}

// document is the part of Compose's JSON that matters here.
type document struct {
	Services map[string]service `json:"services"`
	Configs  map[string]file    `json:"configs"`
	Secrets  map[string]file    `json:"secrets"`
}

type file struct {
	File string `json:"file"`
}

type service struct {
	Image string `json:"image"`
	Build *struct {
		Context    string            `json:"context"`
		Dockerfile string            `json:"dockerfile"`
		Contexts   map[string]string `json:"additional_contexts"`
	} `json:"build"`
	PullPolicy string `json:"pull_policy"`
	Scale      *int   `json:"scale"`
	Deploy     struct {
		Replicas *int `json:"replicas"`
	} `json:"deploy"`
	Restart     string `json:"restart"`
	HealthCheck *struct {
		Disable bool `json:"disable"`
	} `json:"healthcheck"`
	EnvFiles []struct {
		Path     string `json:"path"`
		Required *bool  `json:"required"`
	} `json:"env_file"`
	Provider *struct {
		Type string `json:"type"`
	} `json:"provider"`
	Volumes []struct {
		Type   string `json:"type"`
		Source string `json:"source"`
		Target string `json:"target"`
	} `json:"volumes"`
}

func (s Stack) decode(t *tree, text []byte) (Model, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return Model{}, fmt.Errorf("decode `docker compose config`: %w", err)
	}
	for _, group := range []struct {
		what  string
		files map[string]file
	}{{"config", d.Configs}, {"secret", d.Secrets}} {
		for _, name := range slices.Sorted(maps.Keys(group.files)) {
			f := group.files[name]
			if f.File == "" {
				continue
			}
			if err := t.holds("file of "+group.what+" "+strconv.Quote(name), f.File); err != nil {
				return Model{}, err
			}
		}
	}
	var m Model
	for _, name := range slices.Sorted(maps.Keys(d.Services)) {
		svc := d.Services[name]
		if err := svc.contained(t, name); err != nil {
			return Model{}, err
		}
		model := svc.model(t, s.Project, name)
		m.Services = append(m.Services, model)
		for _, b := range model.Binds {
			if b.Inside && t.missing(b.Source) {
				m.Warnings = append(m.Warnings, fmt.Sprintf("service %s mounts %s, which is not in the repository: "+
					"it is empty after every deployment, because each has a worktree of its own; use a named volume or an absolute path", name, b.Source))
			}
		}
	}
	slices.Sort(m.Warnings)
	return m, nil
}

// contained checks every path through which a service reads files at deployment.
func (s service) contained(t *tree, name string) error {
	if s.Provider != nil && strings.ContainsRune(s.Provider.Type, filepath.Separator) {
		return invalid("provider of service %q is a path: %q", name, s.Provider.Type).WithHint("a provider is the name of a program on PATH")
	}
	for _, f := range s.EnvFiles {
		what := fmt.Sprintf("env_file of service %q", name)
		if err := t.holds(what, f.Path); err != nil {
			return err
		}
		if (f.Required == nil || *f.Required) && t.missing(f.Path) {
			return invalid("%s is not in the repository: %q", what, f.Path)
		}
	}
	if s.Build == nil {
		return nil
	}
	paths := map[string]string{"build context": s.Build.Context}
	for key, path := range s.Build.Contexts {
		paths["additional build context "+key] = path
	}
	if filepath.IsAbs(s.Build.Context) && s.Build.Dockerfile != "" {
		dockerfile := s.Build.Dockerfile
		if !filepath.IsAbs(dockerfile) {
			dockerfile = filepath.Join(s.Build.Context, dockerfile)
		}
		paths["dockerfile"] = dockerfile
	}
	for _, what := range slices.Sorted(maps.Keys(paths)) { // the same complaint every time
		path := paths[what]
		if !filepath.IsAbs(path) {
			continue // Compose made local paths absolute; the others are URLs, images and services
		}
		if err := t.holds(fmt.Sprintf("%s of service %q", what, name), path); err != nil {
			return err
		}
	}
	return nil
}

func (s service) model(t *tree, project, name string) Service {
	m := Service{
		Name: name, Image: cmp.Or(s.Image, project+"-"+name), Build: s.Build != nil, PullPolicy: s.PullPolicy,
		Replicas: 1, Restart: s.Restart, HealthCheck: s.HealthCheck != nil && !s.HealthCheck.Disable,
	}
	if s.Provider != nil {
		m.Replicas, m.Image = 0, "" // a program of the host, not a container
	}
	if s.Scale != nil {
		m.Replicas = *s.Scale
	}
	if s.Deploy.Replicas != nil {
		m.Replicas = *s.Deploy.Replicas
	}
	for _, v := range s.Volumes {
		if v.Type == "bind" {
			m.Binds = append(m.Binds, Bind{Source: v.Source, Target: v.Target, Inside: filepath.IsLocal(t.local("", v.Source))})
		}
	}
	return m
}
