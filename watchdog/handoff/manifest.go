package handoff

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Variable is the environment variable that carries the manifest.
const Variable = "SEADOG_MANIFEST"

// Protocol changes whenever a worker of one version could not understand a
// master of another.
const Protocol = 3

// role says what an inherited descriptor is for.
type role string

const (
	roleControl    role = "control"
	roleScoreboard role = "scoreboard"
	roleListener   role = "listener"
	roleRing       role = "ring" // the end of a doorbell that is written to
	roleHear       role = "hear" // the end that is read
)

type entry struct {
	Role role   `json:"role"`
	Name string `json:"name,omitempty"`
}

// Manifest tells a worker who it is and what it inherited.
type Manifest struct {
	Protocol    int           `json:"protocol"`
	Pool        string        `json:"pool"`
	Index       int           `json:"index"`  // -1 for a spare
	Region      int           `json:"region"` // of the scoreboard, in the pool
	Incarnation uint64        `json:"incarnation"`
	Master      int           `json:"master"`     // its pid
	KillGrace   time.Duration `json:"kill_grace"` // as in [watchdog.Pool]
	Files       []entry       `json:"files"`      // descriptor 3 and up

	Policy watchdog.Policy `json:"policy"` // of the pool; see [watchdog.Pool]
}

// ID returns the place that the worker fills when it starts.
func (m Manifest) ID() watchdog.ID { return watchdog.ID{Pool: m.Pool, Index: m.Index} }

// Parcel is a manifest with the descriptors that it lists.
type Parcel struct {
	manifest Manifest
	fds      []uintptr
}

// NewParcel begins a parcel for one incarnation of a worker; control is the
// child's end of [NewControl]. The scoreboard must stay open until the worker
// was started.
func NewParcel(m Manifest, control Held, scoreboard *os.File) *Parcel {
	m.Protocol, m.Files = Protocol, nil
	p := &Parcel{manifest: m}
	p.add(roleControl, "", control)
	p.add(roleScoreboard, "", Held{int(scoreboard.Fd())})
	return p
}

// Listener adds a listening socket.
func (p *Parcel) Listener(name string, h Held) { p.add(roleListener, name, h) }

// Doorbell adds both ends of a doorbell.
func (p *Parcel) Doorbell(d *Doorbell) {
	p.add(roleRing, d.name, d.ring)
	p.add(roleHear, d.name, d.hear)
}

func (p *Parcel) add(r role, name string, h Held) {
	p.manifest.Files = append(p.manifest.Files, entry{r, name})
	p.fds = append(p.fds, h.FD())
}

// Files returns the descriptors that the child must have from number 3 on.
func (p *Parcel) Files() []uintptr { return p.fds }

// Env returns the environment entry, "SEADOG_MANIFEST={…}".
func (p *Parcel) Env() (string, error) {
	b, err := json.Marshal(p.manifest)
	if err != nil {
		return "", fmt.Errorf("encode manifest: %w", err)
	}
	return Variable + "=" + string(b), nil
}

// ErrNoManifest is returned by [Claim] in a process that no master started.
var ErrNoManifest = errors.New("not started by a master: " + Variable + " is not set")

// maxFiles bounds what a manifest may list.
const maxFiles = 256

// ParseManifest reads the variable's value.
func ParseManifest(value string) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal([]byte(value), &m); err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	if m.Protocol != Protocol {
		return Manifest{}, fmt.Errorf("read manifest: the master speaks protocol %d, this binary %d: restart the service", m.Protocol, Protocol)
	}
	if m.Pool == "" || m.Index < -1 || m.Region < 0 || m.Master < 0 || m.KillGrace < 0 {
		return Manifest{}, errors.New("read manifest: incomplete")
	}
	if len(m.Files) > maxFiles {
		return Manifest{}, fmt.Errorf("read manifest: %d descriptors", len(m.Files))
	}
	return m, m.checkFiles()
}

// checkFiles wants exactly one control socket and one scoreboard, known roles,
// and no name twice in the same role.
func (m Manifest) checkFiles() error {
	seen := make(map[entry]bool, len(m.Files))
	for _, e := range m.Files {
		named := e.Role == roleListener || e.Role == roleRing || e.Role == roleHear
		if !named && e.Role != roleControl && e.Role != roleScoreboard {
			return fmt.Errorf("read manifest: unknown role %q", e.Role)
		}
		if named != (e.Name != "") || seen[e] {
			return fmt.Errorf("read manifest: bad entry %s %q", e.Role, e.Name)
		}
		seen[e] = true
	}
	if !seen[entry{Role: roleControl}] || !seen[entry{Role: roleScoreboard}] {
		return errors.New("read manifest: no control socket or no scoreboard")
	}
	for e := range seen {
		if e.Role == roleRing && !seen[entry{roleHear, e.Name}] || e.Role == roleHear && !seen[entry{roleRing, e.Name}] {
			return fmt.Errorf("read manifest: half a doorbell %q", e.Name)
		}
	}
	return nil
}
