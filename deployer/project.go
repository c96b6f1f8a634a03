package deployer

import (
	"regexp"
	"time"
)

// Provider names the kind of sender behind a hook. It is pinned by the
// configuration, never guessed from headers.
type Provider string

const (
	GitHub          Provider = "github"
	GitLab          Provider = "gitlab"
	Gitea           Provider = "gitea" // also Forgejo
	Forgejo         Provider = "forgejo"
	Gogs            Provider = "gogs"
	BitbucketCloud  Provider = "bitbucket-cloud"
	BitbucketServer Provider = "bitbucket-server"
	Registry        Provider = "registry"   // distribution notifications
	DockerHub       Provider = "docker-hub" // unsigned: the secret is a path segment
	Generic         Provider = "generic"    // HMAC-SHA256 over any JSON with ref and after
)

// Providers lists every provider.
func Providers() []Provider {
	return []Provider{
		GitHub, GitLab, Gitea, Forgejo, Gogs,
		BitbucketCloud, BitbucketServer, Registry, DockerHub, Generic,
	}
}

// nameRE keeps project and hook names usable as a path segment, a directory, a
// Compose project name and a metrics label at once.
var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// ValidName reports whether s can name a project or a hook: lower-case letters,
// digits, '-' and '_', starting with a letter or digit, at most 63 bytes.
func ValidName(s string) bool { return nameRE.MatchString(s) }

// Hook is one webhook endpoint, POST /hooks/{name}. It may feed several projects.
type Hook struct {
	Name     string
	Provider Provider
	Secrets  []Secret // any of them verifies; two while one is being rotated
	Projects []string
}

// Project is one Compose project and how it is deployed. It is immutable after
// the configuration was read.
type Project struct {
	Name       string
	Hook       string // name of the hook that feeds it
	Repository string // clone URL or path; empty for projects that only follow images
	Select     Selector
	Compose    Compose
	Steps      Timeouts
	Health     HealthPolicy
	Rollback   RollbackPolicy
	Keep       int // worktrees and image sets of the last Keep healthy deployments are kept; 3 if 0
	Env        map[string]string
	Secrets    map[string]Secret // passed to Compose as environment, redacted everywhere
}

// Compose says which Compose project is meant.
type Compose struct {
	Project    string   // Compose project name; the seadog project's name if empty
	Directory  string   // below the worktree; "" is its root
	Files      []string // below Directory; empty means the first of compose.yaml, compose.yml, docker-compose.yaml, docker-compose.yml
	Profiles   []string
	EnvFiles   []string          // below Directory, or absolute paths on the host
	BuildArgs  map[string]string // --build-arg of every build
	Submodules bool
	Depth      int // of the fetch; 0 means 1, negative means everything
}

// RollbackPolicy says what happens when a deployment fails after it touched containers.
type RollbackPolicy string

const (
	RollbackAuto   RollbackPolicy = "auto"   // go back to the last healthy commit and images
	RollbackNotify RollbackPolicy = "notify" // leave it, say so loudly
	RollbackOff    RollbackPolicy = "off"    // leave it
)

// Timeout bounds a step: its whole duration, and the time without any output.
// Zero means no bound of that kind.
type Timeout struct {
	Deadline time.Duration
	Silence  time.Duration
}

// Timeouts holds the bounds of every step, and the time between TERM and KILL.
type Timeouts struct {
	Fetch, Config, Pull, Build, Up, Health, Rollback Timeout
	Grace                                            time.Duration // TERM → KILL
}

// DefaultTimeouts are the bounds of a project that names none
// (what hangs in the field hangs in git, in registries and in Compose).
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Fetch:    Timeout{2 * time.Minute, time.Minute},
		Config:   Timeout{30 * time.Second, 0},
		Pull:     Timeout{15 * time.Minute, 2 * time.Minute},
		Build:    Timeout{30 * time.Minute, 5 * time.Minute},
		Up:       Timeout{5 * time.Minute, 2 * time.Minute},
		Health:   Timeout{3 * time.Minute, 0},
		Rollback: Timeout{5 * time.Minute, 2 * time.Minute},
		Grace:    10 * time.Second,
	}
}

// HealthPolicy is the gate that a deployment must pass.
type HealthPolicy struct {
	Stable time.Duration // a service without a health check must run this long without a restart
	Probes []Probe
}

// Probe is an optional check from the host, repeated until it passes or the health step ends.
type Probe struct {
	HTTP   string // URL that must answer with Status
	TCP    string // host:port that must accept
	Status int    // expected status of HTTP; 0 means any 2xx or 3xx
}
