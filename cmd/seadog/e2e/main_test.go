// Package e2e runs the built binary as its users do: real processes, a real
// engine, real git, and signals that nobody can catch.
package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the seadog under test; image runs the sample site of every project.
var binary, image string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "docker" {
		os.Exit(fakeDocker(os.Args[1:]))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seadog-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "seadog")
	if err := build(binary, "github.com/seadog/seadog/cmd/seadog"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if exec.Command("docker", "version").Run() == nil {
		image = fmt.Sprintf("seadog-e2e-%d", os.Getpid())
		if err := buildImage(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = exec.Command("docker", "image", "rm", "--force", image).Run() }()
	}
	return m.Run()
}

func build(to, pkg string) error {
	cmd := exec.Command("go", "build", "-o", to, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// buildImage makes the smallest image that can run and be asked how it is.
func buildImage(dir string) error {
	dir = filepath.Join(dir, "image")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := build(filepath.Join(dir, "site"), "./testdata/site"); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY site /site\nENTRYPOINT [\"/site\"]\n"), 0o644); err != nil {
		return err
	}
	if out, err := exec.Command("docker", "build", "--quiet", "--tag", image, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("build the image of the sample site: %w\n%s", err, out)
	}
	return nil
}

// needEngine skips the test loudly without a Docker Engine, and fails it where one is required.
func needEngine(t *testing.T) {
	t.Helper()
	if image != "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Docker Engine answers; run make bootstrap")
	}
	t.Skip("SKIPPED: no Docker Engine answers; run make bootstrap")
}
