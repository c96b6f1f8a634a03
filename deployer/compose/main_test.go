package compose_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/enginetest"
	"github.com/seadog/seadog/deployer/health"
	"github.com/seadog/seadog/deployer/process"
)

var (
	shared  enginetest.Shared
	markers atomic.Int64
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the engine:", err)
		code = 1
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run executes commands as a runner would, and remembers them.
type run struct {
	timeout deployer.Timeout

	mu       sync.Mutex
	commands []process.Command
}

func (r *run) exec(ctx context.Context, c process.Command) (process.Exit, error) {
	c.Marker = fmt.Sprintf("compose-test-%d-%d", os.Getpid(), markers.Add(1))
	c.Timeout = r.timeout
	if c.Timeout.Deadline == 0 {
		c.Timeout.Deadline = 2 * time.Minute
	}
	c.Grace = time.Second
	r.mu.Lock()
	r.commands = append(r.commands, c)
	r.mu.Unlock()
	return process.Run(ctx, c)
}

// bench is one project on a private engine.
type bench struct {
	*testing.T
	engine  *enginetest.Engine
	client  *engine.Client
	project string
	run     run
}

func newBench(t *testing.T) *bench {
	t.Helper()
	e := shared.Start(t)
	c, err := engine.New(engine.Config{Host: e.Host()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &bench{T: t, engine: e, client: c, project: e.Project(t)}
}

// stack writes files into a worktree of its own and returns the project in it.
func (b *bench) stack(files map[string]string, spec deployer.Compose) compose.Stack {
	b.Helper()
	return compose.Stack{Project: b.project, Worktree: worktree(b.T, files), Spec: spec, Env: b.engine.Env, Exec: b.run.exec}
}

// worktree writes files; one whose name ends in / becomes a build context of that version.
func worktree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			enginetest.Context(t, path, content)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// deploy does what a deployment does up to its health gate.
func (b *bench) deploy(s compose.Stack) compose.Model {
	b.Helper()
	m, err := s.Config(b.Context())
	if err != nil {
		b.Fatalf("config: %v", err)
	}
	if err := s.Pull(b.Context(), m); err != nil {
		b.Fatalf("pull: %v", err)
	}
	if err := s.Build(b.Context(), m); err != nil {
		b.Fatalf("build: %v", err)
	}
	if err := s.Up(b.Context()); err != nil {
		b.Fatalf("up: %v", err)
	}
	return m
}

func (b *bench) gate(m compose.Model) health.Verdict {
	b.Helper()
	g := health.Gate{Project: b.project, Policy: deployer.HealthPolicy{Stable: time.Second}, Observer: b.client, Interval: 100 * time.Millisecond}
	for _, s := range m.Services {
		g.Want = append(g.Want, health.Expect{Service: s.Name, Replicas: s.Replicas})
	}
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	v, err := g.Run(ctx)
	if err != nil {
		b.Fatalf("health gate: %v", err)
	}
	return v
}

// services returns the project's containers by service, or by service and number from the second on.
func (b *bench) services() map[string]health.Observation {
	b.Helper()
	seen, err := b.client.Services(b.Context(), b.project)
	if err != nil {
		b.Fatal(err)
	}
	out := map[string]health.Observation{}
	for _, o := range seen {
		name := o.Service
		if o.Number > 1 {
			name += "-" + strconv.Itoa(o.Number)
		}
		out[name] = o
	}
	return out
}
