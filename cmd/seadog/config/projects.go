package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

const nameRule = "use lower-case letters, digits, - and _, at most 63, beginning with a letter or digit"

// projects checks every project and builds their hooks.
func (b *builder) projects() {
	if len(b.f.names) == 0 {
		b.fail("projects", "add one: its name, and below it repository and webhook", "no project, so there is nothing to deploy")
	}
	b.settings("defaults", &b.f.Defaults, false)
	taken := map[string]string{} // Compose project → project
	for _, name := range b.f.names {
		key, p := child("projects", name), b.f.projects[name]
		if !deployer.ValidName(name) {
			b.report(key, nameRule, "%q cannot name a project", name)
		}
		b.source(key, p)
		b.settings(key, &p.settings, p.Repository == "")
		if p.Compose.Project == "" {
			p.Compose.Project = name
		}
		if other, ok := taken[p.Compose.Project]; ok {
			b.fail(child(key, "compose.project"), "give each a compose.project of its own, or they replace each other's containers",
				"the Compose project %s belongs to project %s", p.Compose.Project, other)
		}
		taken[p.Compose.Project] = name
		b.follows(key, p)
		b.cfg.Projects = append(b.cfg.Projects, b.project(key, name, p))
	}
	b.hooks()
}

// project builds what [deployer] knows of p.
func (b *builder) project(key, name string, p *project) deployer.Project {
	s := p.Steps
	built := deployer.Project{
		Name: name, Hook: p.Webhook.Hook, Repository: p.Repository,
		Select: deployer.Selector{Branches: p.Branches, Tags: p.Tags, Images: p.Images, Paths: p.Paths},
		Compose: deployer.Compose{
			Project: p.Compose.Project, Directory: p.Compose.Directory, Files: p.Compose.Files,
			Profiles: p.Compose.Profiles, EnvFiles: p.Compose.EnvFiles, BuildArgs: p.Compose.BuildArgs,
			Submodules: p.Compose.Submodules, Depth: p.Compose.Depth,
		},
		Steps: deployer.Timeouts{
			Fetch: deployer.Timeout(s.Fetch), Config: deployer.Timeout(s.Config), Pull: deployer.Timeout(s.Pull),
			Build: deployer.Timeout(s.Build), Up: deployer.Timeout(s.Up),
			Health: deployer.Timeout{Deadline: s.Health.Deadline}, Rollback: deployer.Timeout(s.Rollback), Grace: s.Grace,
		},
		Health:   deployer.HealthPolicy{Stable: p.Health.Stable},
		Rollback: deployer.RollbackPolicy(p.Rollback),
		Keep:     p.Keep, Env: p.Env,
		Secrets: make(map[string]deployer.Secret, len(p.Secrets)),
	}
	if built.Hook == "" {
		built.Hook = name
	}
	for _, probe := range p.Health.Probes {
		built.Health.Probes = append(built.Health.Probes, deployer.Probe(probe))
	}
	for variable, value := range p.Secrets {
		built.Secrets[variable] = b.projectSecret(child(child(key, "secrets"), variable), value)
	}
	return built
}

func (b *builder) projectSecret(key string, v secretValue) deployer.Secret {
	if v.Secret.Empty() && v.SecretFile == "" {
		b.fail(key, "write {secret: …} or {secret_file: …}", "has no value")
	}
	value := b.secret(child(key, "secret"), v.Secret, v.SecretFile, anyLength)
	b.noNUL(key, value.Reveal())
	return value
}

// follows refuses a project that no push could ever deploy.
func (b *builder) follows(key string, p *project) {
	switch provider := deployer.Provider(p.Webhook.Provider); {
	case (provider == deployer.Registry || provider == deployer.DockerHub) && len(p.Images) == 0:
		b.fail(child(key, "images"), "list image:tag patterns, like app:latest", "%s announces images, and the project follows none", provider)
	case len(p.Branches)+len(p.Tags)+len(p.Images) == 0:
		b.fail(child(key, "branches"), "list branches, tags or images", "the project follows nothing, so nothing would ever deploy it")
	}
}

// source checks where the Compose files come from: a repository, or, for a
// project that only follows images, a directory of this machine.
func (b *builder) source(key string, p *project) {
	if p.Repository != "" {
		b.remote(child(key, "repository"), p.Repository)
		if len(p.Images) > 0 && !slices.ContainsFunc(p.Branches, func(s string) bool { return !strings.ContainsAny(s, "*?[\\") }) {
			b.fail(child(key, "branches"), "add one without wildcards", "no branch to take the Compose files from when an image is pushed")
		}
		return
	}
	if len(p.Images) == 0 || !filepath.IsAbs(p.Compose.Directory) {
		b.fail(child(key, "repository"),
			"write https://host/owner/name.git, git@host:owner/name.git, or an absolute path; only a project that follows images can do with an absolute compose.directory instead",
			"missing")
		return
	}
	for name, list := range map[string]*[]string{"branches": &p.Branches, "tags": &p.Tags, "paths": &p.Paths} {
		if b.given(child(key, name)) && len(*list) > 0 {
			b.fail(child(key, name), "remove it, or give the repository", "means nothing without a repository")
		}
		*list = nil // of defaults
	}
}

// settings checks what a project and defaults have in common. onHost: the
// Compose files are on this machine, not in a repository.
func (b *builder) settings(key string, s *settings, onHost bool) {
	b.globs(child(key, "branches"), s.Branches, "refs/heads/")
	b.globs(child(key, "tags"), s.Tags, "refs/tags/")
	b.globs(child(key, "images"), s.Images, "")
	b.globs(child(key, "paths"), s.Paths, "/")
	b.compose(child(key, "compose"), &s.Compose, onHost)
	b.steps(child(key, "steps"), &s.Steps)
	b.health(key, s)
	switch deployer.RollbackPolicy(s.Rollback) {
	case deployer.RollbackAuto, deployer.RollbackNotify, deployer.RollbackOff:
	default:
		b.fail(child(key, "rollback"), "write auto, notify or off", "%q is not a policy", s.Rollback)
	}
	b.between(child(key, "keep"), s.Keep, 1, 100)
	for name, value := range s.Env {
		b.variable(child(child(key, "env"), name), name)
		b.noNUL(child(child(key, "env"), name), value)
	}
	for name := range s.Secrets {
		b.variable(child(child(key, "secrets"), name), name)
		if _, both := s.Env[name]; both {
			b.fail(child(child(key, "secrets"), name), "keep one of the two", "is in env as well")
		}
	}
}

func (b *builder) variable(key, name string) {
	switch {
	case !variableRE.MatchString(name):
		b.fail(key, "use letters, digits and _, not beginning with a digit", "%q cannot name an environment variable", name)
	case strings.HasPrefix(name, "SEADOG_"):
		b.fail(key, "choose another name", "names that begin with SEADOG_ are seadog's own")
	}
}

// noNUL refuses what cannot be handed to a process.
func (b *builder) noNUL(key, value string) {
	if strings.ContainsRune(value, 0) {
		b.fail(key, "remove it", "holds a NUL byte")
	}
}

func (b *builder) globs(key string, patterns []string, prefix string) {
	for i, pattern := range patterns {
		item := fmt.Sprintf("%s[%d]", key, i)
		if err := deployer.ValidGlob(pattern); err != nil {
			b.fail(item, "use * within a segment, ** for any segments, ? for one character", "%s", err)
		} else if prefix != "" && strings.HasPrefix(pattern, prefix) {
			b.fail(item, "write "+strings.TrimPrefix(pattern, prefix), "begins with %s, which no name does", prefix)
		}
	}
}

var profileRE = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

func (b *builder) compose(key string, c *compose, onHost bool) {
	if c.Project != "" && !deployer.ValidName(c.Project) {
		b.fail(child(key, "project"), nameRule, "%q cannot name a Compose project", c.Project)
	}
	if c.Directory != "" && !(onHost && filepath.IsAbs(c.Directory)) {
		b.local(child(key, "directory"), c.Directory)
	}
	for i, file := range c.Files {
		b.local(fmt.Sprintf("%s[%d]", child(key, "files"), i), file)
	}
	for i, file := range c.EnvFiles {
		if !filepath.IsAbs(file) {
			b.local(fmt.Sprintf("%s[%d]", child(key, "env_files"), i), file)
		}
	}
	for i, profile := range c.Profiles {
		if !profileRE.MatchString(profile) {
			b.fail(fmt.Sprintf("%s[%d]", child(key, "profiles"), i), "use letters, digits, _, . and -", "%q cannot name a profile", profile)
		}
	}
	for name, value := range c.BuildArgs {
		b.noNUL(child(child(key, "build_args"), name), value)
		if !variableRE.MatchString(name) {
			b.fail(child(child(key, "build_args"), name), "use letters, digits and _", "%q cannot name a build argument", name)
		}
	}
	if c.Depth == 0 || c.Depth < -1 {
		b.fail(child(key, "depth"), "write 1 or more, or -1 for the whole history", "%d is not a number of commits", c.Depth)
	}
}

// local refuses a path that could leave the worktree, or be taken for an option.
func (b *builder) local(key, path string) {
	if !filepath.IsLocal(path) || strings.HasPrefix(path, "-") || strings.ContainsRune(path, 0) {
		b.fail(key, "write a path below the repository, like deploy/compose.yaml", "%q leaves the repository", path)
	}
}

func (b *builder) steps(key string, s *steps) {
	for _, t := range []struct {
		name string
		at   *timeout
	}{
		{"fetch", &s.Fetch},
		{"config", &s.Config},
		{"pull", &s.Pull},
		{"build", &s.Build},
		{"up", &s.Up},
		{"rollback", &s.Rollback},
	} {
		step := child(key, t.name)
		b.deadline(child(step, "deadline"), t.at.Deadline)
		if t.at.Silence < t.at.Deadline {
			continue
		}
		if silence := child(step, "silence"); b.given(silence) || b.given(b.inherited(silence)) {
			b.fail(silence, "make it shorter, or remove it", "%s is not shorter than the deadline (%s), so it means nothing", t.at.Silence, t.at.Deadline)
		}
		t.at.Silence = 0 // a built-in limit that a shorter deadline makes meaningless
	}
	b.deadline(child(key, "health.deadline"), s.Health.Deadline)
	if s.Grace < 100*time.Millisecond || s.Grace > 5*time.Minute {
		b.fail(child(key, "grace"), "write a duration like 10s", "%s is not between 100ms and 5m", s.Grace)
	}
}

func (b *builder) deadline(key string, d time.Duration) {
	if d < time.Second || d > 24*time.Hour {
		b.fail(key, "write a duration like 5m", "%s is not between 1s and 24h: no step may run for ever", d)
	}
}

func (b *builder) health(key string, s *settings) {
	if s.Health.Stable >= s.Steps.Health.Deadline {
		b.fail(child(key, "health.stable"), "make it shorter than steps.health.deadline",
			"%s is not shorter than the health step's deadline (%s), so no deployment could pass", s.Health.Stable, s.Steps.Health.Deadline)
	}
	for i, p := range s.Health.Probes {
		item := fmt.Sprintf("%s[%d]", child(key, "health.probes"), i)
		if (p.HTTP == "") == (p.TCP == "") {
			b.fail(item, "write {http: http://127.0.0.1:8080/} or {tcp: 127.0.0.1:5432}", "needs exactly one of http and tcp")
			continue
		}
		if p.HTTP != "" {
			if u, err := url.Parse(p.HTTP); err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
				b.fail(child(item, "http"), "write a URL like http://127.0.0.1:8080/health", "%q is not an HTTP URL", p.HTTP)
			}
		} else if _, port, err := net.SplitHostPort(p.TCP); err != nil || port == "" {
			b.fail(child(item, "tcp"), "write host:port", "%q is not an address", p.TCP)
		}
		if p.Status != 0 && (p.Status < 100 || p.Status > 599 || p.TCP != "") {
			b.fail(child(item, "status"), "write the status that http must answer with, or remove it", "%d means nothing here", p.Status)
		}
	}
}
