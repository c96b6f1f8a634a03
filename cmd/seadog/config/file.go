package config

import (
	"maps"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/seadog/seadog/deployer"
)

// The structs of this file are the format: one field per key, in the order in
// which the effective configuration is printed. What the keys mean stands in the
// commented example that seadog init writes.

type file struct {
	Listen         []string            `yaml:"listen"`
	TLS            tlsFiles            `yaml:"tls,omitempty"`
	TrustedProxies []string            `yaml:"trusted_proxies"`
	Admin          admin               `yaml:"admin"`
	Web            bool                `yaml:"web"`
	Data           string              `yaml:"data"`
	Node           string              `yaml:"node"`
	Store          store               `yaml:"store"`
	Workers        workers             `yaml:"workers"`
	StopGrace      time.Duration       `yaml:"stop_grace"`
	Watchdog       watch               `yaml:"watchdog"`
	Limits         limits              `yaml:"limits"`
	Record         record              `yaml:"record"`
	Log            log                 `yaml:"log"`
	API            api                 `yaml:"api"`
	Git            tool                `yaml:"git"`
	Docker         docker              `yaml:"docker"`
	Retention      retention           `yaml:"retention"`
	Defaults       settings            `yaml:"defaults"`
	Projects       map[string]ast.Node `yaml:"projects,omitempty"`

	names    []string // of the projects, sorted
	projects map[string]*project
}

type tlsFiles struct {
	Cert string `yaml:"cert,omitempty"`
	Key  string `yaml:"key,omitempty"`
}

type admin struct {
	Listen string `yaml:"listen"`
}

type store struct {
	Driver  string `yaml:"driver"`
	Path    string `yaml:"path,omitempty"`
	DSN     secret `yaml:"dsn,omitzero"`
	DSNFile string `yaml:"dsn_file,omitempty"`
}

type workers struct {
	HTTP    int `yaml:"http"`
	Runners int `yaml:"runners"`
}

type watch struct {
	Harakiri time.Duration `yaml:"harakiri"`
	Mercy    time.Duration `yaml:"mercy"`
	Spare    bool          `yaml:"spare"`
	Recycle  recycle       `yaml:"recycle"`
}

type recycle struct {
	Requests    int           `yaml:"requests"`
	Lifetime    time.Duration `yaml:"lifetime"`
	Memory      size          `yaml:"memory"`
	MemoryHard  size          `yaml:"memory_hard"`
	Goroutines  int           `yaml:"goroutines"`
	Descriptors int           `yaml:"descriptors"`
}

type limits struct {
	Body          size          `yaml:"body"`
	BodyBudget    size          `yaml:"body_budget"`
	HeaderTimeout time.Duration `yaml:"header_timeout"`
	BodyTimeout   time.Duration `yaml:"body_timeout"`
	IdleTimeout   time.Duration `yaml:"idle_timeout"`
	Connections   int           `yaml:"connections"`
	QueryBudget   int           `yaml:"query_budget"`
	StepLog       size          `yaml:"step_log"`
}

type record struct {
	Dir        string `yaml:"dir,omitempty"`
	Deliveries int    `yaml:"deliveries"`
	Bytes      size   `yaml:"bytes"`
}

type log struct {
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

type api struct {
	Tokens []token `yaml:"tokens"`
}

type token struct {
	Name      string `yaml:"name"`
	Scope     string `yaml:"scope"`
	Token     secret `yaml:"token,omitzero"`
	TokenFile string `yaml:"token_file,omitempty"`
	Hash      string `yaml:"hash,omitempty"`
}

type tool struct {
	Env []string `yaml:"env"`
}

type docker struct {
	Env     []string      `yaml:"env"`
	Host    string        `yaml:"host,omitempty"`
	Config  string        `yaml:"config,omitempty"`
	Timeout time.Duration `yaml:"timeout"`
}

type retention struct {
	Deliveries  time.Duration `yaml:"deliveries"`
	Deployments int           `yaml:"deployments"`
	Logs        time.Duration `yaml:"logs"`
}

type project struct {
	Repository string  `yaml:"repository,omitempty"`
	Webhook    webhook `yaml:"webhook"`
	settings   `yaml:",inline"`
}

type webhook struct {
	Provider           string `yaml:"provider,omitempty"`
	Secret             secret `yaml:"secret,omitzero"`
	SecretFile         string `yaml:"secret_file,omitempty"`
	PreviousSecret     secret `yaml:"previous_secret,omitzero"`
	PreviousSecretFile string `yaml:"previous_secret_file,omitempty"`
	Hook               string `yaml:"hook,omitempty"`
}

// settings are the keys of a project that defaults may hold as well.
type settings struct {
	Branches []string               `yaml:"branches"`
	Tags     []string               `yaml:"tags"`
	Images   []string               `yaml:"images"`
	Paths    []string               `yaml:"paths"`
	Compose  compose                `yaml:"compose"`
	Steps    steps                  `yaml:"steps"`
	Health   health                 `yaml:"health"`
	Rollback string                 `yaml:"rollback"`
	Keep     int                    `yaml:"keep"`
	Env      map[string]string      `yaml:"env"`
	Secrets  map[string]secretValue `yaml:"secrets"`
}

type compose struct {
	Directory  string            `yaml:"directory,omitempty"`
	Files      []string          `yaml:"files"`
	Profiles   []string          `yaml:"profiles"`
	EnvFiles   []string          `yaml:"env_files"`
	BuildArgs  map[string]string `yaml:"build_args"`
	Project    string            `yaml:"project,omitempty"`
	Submodules bool              `yaml:"submodules"`
	Depth      int               `yaml:"depth"`
}

type steps struct {
	Fetch    timeout       `yaml:"fetch"`
	Config   timeout       `yaml:"config"`
	Pull     timeout       `yaml:"pull"`
	Build    timeout       `yaml:"build"`
	Up       timeout       `yaml:"up"`
	Health   deadline      `yaml:"health"`
	Rollback timeout       `yaml:"rollback"`
	Grace    time.Duration `yaml:"grace"`
}

type timeout struct {
	Deadline time.Duration `yaml:"deadline"`
	Silence  time.Duration `yaml:"silence"`
}

// deadline bounds a step that prints nothing, so that silence means nothing there.
type deadline struct {
	Deadline time.Duration `yaml:"deadline"`
}

type health struct {
	Stable time.Duration `yaml:"stable"`
	Probes []probe       `yaml:"probes"`
}

type probe struct {
	HTTP   string `yaml:"http,omitempty"`
	TCP    string `yaml:"tcp,omitempty"`
	Status int    `yaml:"status,omitempty"`
}

type secretValue struct {
	Secret     secret `yaml:"secret,omitzero"`
	SecretFile string `yaml:"secret_file,omitempty"`
}

// builtin returns the defaults of every key. node is the name of this machine.
func builtin(node string) *file {
	t := deployer.DefaultTimeouts()
	return &file{
		Listen:    []string{"127.0.0.1:8787"},
		Admin:     admin{Listen: "127.0.0.1:8788"},
		Web:       true,
		Data:      "/var/lib/seadog",
		Node:      node,
		Store:     store{Driver: string(SQLite)},
		Workers:   workers{HTTP: 2, Runners: 2},
		StopGrace: 30 * time.Second,
		Watchdog: watch{
			Harakiri: 30 * time.Second, Mercy: 10 * time.Second, Spare: true,
			Recycle: recycle{Memory: gib, MemoryHard: 2 * gib, Goroutines: 20_000},
		},
		Limits: limits{
			Body: 26 * mib, BodyBudget: 256 * mib,
			HeaderTimeout: 10 * time.Second, BodyTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			Connections: 8192, QueryBudget: 20, StepLog: 16 * mib,
		},
		Docker:    docker{Timeout: 10 * time.Second},
		Record:    record{Deliveries: 10_000, Bytes: 256 * mib},
		Log:       log{Format: "auto", Level: "info"},
		Retention: retention{Deliveries: 90 * 24 * time.Hour, Deployments: 200},
		Defaults: settings{
			Branches: []string{"main", "master"},
			Compose:  compose{Depth: 1},
			Steps: steps{
				Fetch: timeout(t.Fetch), Config: timeout(t.Config), Pull: timeout(t.Pull), Build: timeout(t.Build),
				Up: timeout(t.Up), Health: deadline{t.Health.Deadline}, Rollback: timeout(t.Rollback), Grace: t.Grace,
			},
			Health:   health{Stable: 10 * time.Second},
			Rollback: string(deployer.RollbackAuto),
			Keep:     3,
		},
	}
}

// clone returns a copy that a project's own keys can be decoded over: its
// scalars replace the default, its lists replace the default's list, and its mappings add to the default's.
func (s settings) clone() settings {
	s.Branches = slices.Clone(s.Branches)
	s.Tags = slices.Clone(s.Tags)
	s.Images = slices.Clone(s.Images)
	s.Paths = slices.Clone(s.Paths)
	s.Compose.Files = slices.Clone(s.Compose.Files)
	s.Compose.Profiles = slices.Clone(s.Compose.Profiles)
	s.Compose.EnvFiles = slices.Clone(s.Compose.EnvFiles)
	s.Compose.BuildArgs = maps.Clone(s.Compose.BuildArgs)
	s.Health.Probes = slices.Clone(s.Health.Probes)
	s.Env = maps.Clone(s.Env)
	s.Secrets = maps.Clone(s.Secrets)
	return s
}
