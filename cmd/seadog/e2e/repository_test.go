package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const noCommit = "0000000000000000000000000000000000000000"

// repository is a real Git repository that a project is deployed from.
type repository struct {
	t    testing.TB
	dir  string
	head string
}

func newRepository(t testing.TB) *repository {
	t.Helper()
	r := &repository{t: t, dir: t.TempDir(), head: noCommit}
	r.git("init", "--quiet", "--initial-branch", "main")
	return r
}

// commit writes files and returns the commits before and after.
func (r *repository) commit(files map[string]string) (before, after string) {
	r.t.Helper()
	for name, text := range files {
		path := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "--all")
	r.git("-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "--allow-empty", "--message", "change")
	before, r.head = r.head, r.git("rev-parse", "HEAD")
	return before, r.head
}

// composeFile returns a Compose file with one service that carries version as a label.
func composeFile(version string) string {
	return fmt.Sprintf("services:\n  site:\n    image: %s\n    pull_policy: never\n    labels: {e2e.version: %q}\n    stop_grace_period: 1s\n", image, version)
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

// liveVersion returns the label of the running container of a Compose project.
func liveVersion(t *testing.T, project string) string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--filter", "label=com.docker.compose.project="+project,
		"--format", `{{.Label "e2e.version"}}`).CombinedOutput()
	if err != nil {
		t.Fatalf("docker ps: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// removeProject removes what a Compose project left in the engine.
func removeProject(t *testing.T, project string) {
	t.Cleanup(func() {
		label := "label=com.docker.compose.project=" + project
		for _, kind := range [][2][]string{
			{{"ps", "--all", "--quiet", "--filter", label}, {"rm", "--force", "--volumes"}},
			{{"network", "ls", "--quiet", "--filter", label}, {"network", "rm"}},
			{{"image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=localhost/seadog:" + project + ".*"}, {"image", "rm", "--force"}},
		} {
			out, _ := exec.Command("docker", kind[0]...).Output()
			if ids := strings.Fields(string(out)); len(ids) > 0 {
				_ = exec.Command("docker", append(kind[1], ids...)...).Run()
			}
		}
	})
}
