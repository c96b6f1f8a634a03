package compose_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/health"
	"github.com/seadog/seadog/deployer/process"
)

// Compose creates the new container as <12 hex>_name before it stops the old
// one. Killed in between, it leaves both.
func TestAKilledUpIsRepaired(t *testing.T) {
	b := newBench(t)
	files := func(version string) map[string]string {
		return map[string]string{"./": version, "compose.yaml": `
services:
  web: {build: ., network_mode: none, stop_grace_period: 3s, environment: {IGNORE_TERM: "1"}}
`}
	}
	b.deploy(b.stack(files("one"), deployer.Compose{}))

	second := b.stack(files("two"), deployer.Compose{})
	m, err := second.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Build(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	plain := second.Exec
	second.Exec = func(_ context.Context, c process.Command) (process.Exit, error) { return plain(ctx, c) }
	go func() { ended <- second.Up(t.Context()) }()
	for len(b.names()) < 2 {
		select {
		case err := <-ended:
			t.Fatalf("up ended before it could be killed: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("up: got %v", err)
	}
	second.Exec = plain
	name := b.project + "-web-1"
	if names := b.names(); len(names) != 2 {
		t.Fatalf("the killed up left %q", names)
	}

	done, err := b.client.Repair(t.Context(), b.project)
	if err != nil || len(done) != 1 || !strings.Contains(done[0], "_"+name) {
		t.Fatalf("repair: got %q, %v", done, err)
	}
	if err := second.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := b.gate(m); v.Outcome != health.Passed {
		t.Errorf("gate: %s", v.Reason())
	}
	if diff := cmp.Diff([]string{name}, b.names()); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	logs, err := b.client.Logs(t.Context(), b.services()["web"].ID, 1)
	if diff := cmp.Diff([]string{"version two note none"}, logs); diff != "" || err != nil {
		t.Errorf("what runs (-want +got): %v\n%s", err, diff)
	}
}

func (b *bench) names() []string {
	b.Helper()
	seen, err := b.client.Services(b.Context(), b.project)
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, o := range seen {
		names = append(names, o.Name)
	}
	return names
}
