package engine_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/enginetest"
)

var shared enginetest.Shared

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

// dial returns a client that is closed with the test.
func dial(t *testing.T, c engine.Config) *engine.Client {
	t.Helper()
	client, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// docker runs the docker command and returns what it printed.
func docker(t *testing.T, e *enginetest.Engine, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "docker", args...) // also in cleanups
	cmd.Env = e.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// create makes a container as Compose would label it.
func create(t *testing.T, e *enginetest.Engine, project, service string, args ...string) string {
	t.Helper()
	return docker(t, e, append([]string{
		"create", "--network", "none", "--label", "com.docker.compose.project=" + project,
		"--label", "com.docker.compose.service=" + service, "--label", "com.docker.compose.oneoff=False",
	}, args...)...)
}

// eventually polls until ok, for at most 20 seconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}
