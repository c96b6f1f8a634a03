// Package config reads seadog.yml.
//
// It owns the file format: every key, its default, what is refused and the
// words in which it is refused. It looks at nothing but the file, the files
// that it names for secrets, and the environment variables that it names; it
// opens no port, touches no store and asks no engine (seadog doctor does).
//
// Every process of the service reads the same file again when it starts, so
// that no secret travels through arguments, pipes or shared memory. Values given as
// ${NAME} or as a file must therefore stay what they are as long as the
// service runs; a change takes effect, in all processes at once, at the next reload.
//
// The package starts no goroutine. A [Config] is never changed after Load returned it.
package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
)

// Config is a valid configuration with every default filled in and every path absolute.
type Config struct {
	File     string // it was read from
	Insecure bool
	Warnings []Problem // what is allowed but should be known, e.g. a secret that everybody can read

	Listen         []Listener
	TLS            TLS
	TrustedProxies []netip.Prefix
	Admin          Listener
	Web            bool   // the web UI is served
	Data           string // directory
	Node           string // name of this machine
	Store          Store
	HTTPWorkers    int
	Runners        int
	StopGrace      time.Duration // for running deployments when the service is stopped
	Watchdog       Watchdog
	Limits         Limits
	Record         Record
	Tokens         []Token
	Git            Git
	Docker         Docker
	Retention      deployer.Retention
	Log            Log
	LogRetention   time.Duration // transcripts older than this are deleted; 0: together with their deployment

	Hooks    []deployer.Hook    // by name
	Projects []deployer.Project // by name

	secrets []deployer.Secret
	printed *file
}

// Listener is one address to accept on.
type Listener struct {
	Network string // "tcp", "unix" or "systemd"
	Address string // host:port, absolute path, or FileDescriptorName= of the socket unit
}

func (l Listener) String() string {
	if l.Network == "tcp" {
		return l.Address
	}
	return l.Network + ":" + l.Address
}

// TLS names the files of the certificate. Both are empty for plain HTTP.
type TLS struct {
	Cert string
	Key  string
}

// Driver names an implementation of deployer.Store.
type Driver string

const (
	SQLite   Driver = "sqlite"
	Postgres Driver = "postgres"
)

// Store says where deliveries and deployments are kept.
type Store struct {
	Driver Driver
	Path   string          // SQLite only
	DSN    deployer.Secret // PostgreSQL only
}

// Watchdog says when HTTP workers and their requests are given up.
type Watchdog struct {
	Spare  bool // one more worker, ready to take over
	Policy watchdog.Policy
}

// Log says how the service's own log is written.
type Log struct {
	Format string // "auto" (text on a terminal, else JSON), "text" or "json"
	Level  slog.Level
}

// Limits bound what a client can make the service do.
type Limits struct {
	Body          int64         // bytes of one webhook
	BodyBudget    int64         // bytes of all bodies being read by one HTTP worker
	HeaderTimeout time.Duration // for reading a request's header
	BodyTimeout   time.Duration // for reading its body
	IdleTimeout   time.Duration // of a kept-alive connection
	Connections   int           // per HTTP worker
	QueryBudget   int           // queries per request before it is named in log and metrics
	StepLog       int64         // bytes kept of what one step prints
}

// Record says which deliveries are kept as they came in. Without a directory, none.
type Record struct {
	Dir        string
	Deliveries int
	Bytes      int64
}

// Token is one API token. Only its hash is kept.
type Token struct {
	Name   string
	Scope  deployer.Scope
	SHA256 [32]byte
}

// Git says what git gets to know of its surroundings.
type Git struct {
	Env []string // names of environment variables that are passed on
}

// Docker says how the engine is reached.
type Docker struct {
	Env     []string      // names of environment variables that are passed on
	Host    string        // as in DOCKER_HOST; empty: $DOCKER_HOST or the local socket
	Config  string        // directory as in DOCKER_CONFIG; empty: the user's
	Timeout time.Duration // of a question to the engine
}

// Secrets returns every secret value of the configuration, for the redactor.
func (c *Config) Secrets() []deployer.Secret { return append([]deployer.Secret(nil), c.secrets...) }

// Project returns the project of that name.
func (c *Config) Project(name string) (deployer.Project, bool) {
	for _, p := range c.Projects {
		if p.Name == name {
			return p, true
		}
	}
	return deployer.Project{}, false
}

// Hook returns the hook of that name.
func (c *Config) Hook(name string) (deployer.Hook, bool) {
	for _, h := range c.Hooks {
		if h.Name == name {
			return h, true
		}
	}
	return deployer.Hook{}, false
}
