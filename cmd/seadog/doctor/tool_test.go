package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/cmd/seadog/doctor"
)

// docker puts a docker command of these shell lines first in PATH.
func docker(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

func TestCompose(t *testing.T) {
	for _, c := range []struct {
		fact, script string
		level        doctor.Level
		what         string
	}{
		{"new enough", "echo v2.27.1-desktop.1", doctor.OK, "docker compose v2.27.1"},
		{"newer than 2", "echo 5.0.0", doctor.OK, "5.0.0"},
		{"too old", "echo 2.19.9", doctor.Fail, "older than 2.20"},
		{"no plugin", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1", doctor.Fail, "is not a docker command"},
		{"no version", "echo dev", doctor.Warn, "says no version"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			docker(t, c.script)
			expect(t, doctor.Only(t.Context(), "compose", doctor.Config{Getenv: noEnvironment}), "compose", c.level, c.what)
		})
	}
}

func TestBuildxIsNotNeededByEverybody(t *testing.T) {
	docker(t, "exit 1")
	expect(t, doctor.Only(t.Context(), "buildx", doctor.Config{Getenv: noEnvironment}), "buildx", doctor.Warn, "exit status 1")
}

func TestAToolThatIsNotThere(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	expect(t, doctor.Only(t.Context(), "git", doctor.Config{Getenv: noEnvironment}), "git", doctor.Fail, "not in PATH")
}

func TestAToolThatHangsGoesWithItsChildren(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	docker(t, "sleep 600 & echo $! >> "+pidFile+"; sleep 600")
	start := time.Now()
	findings := doctor.Examine(t.Context(), doctor.Config{Getenv: noEnvironment, Everything: true, Data: t.TempDir(), Patience: time.Second})
	expect(t, findings, "compose", doctor.Fail, "does not end")
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(text)) {
		deadline := time.After(10 * time.Second)
		for running(pid) {
			select {
			case <-deadline:
				t.Fatalf("child %s still runs", pid)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// running reports whether the process exists and is no zombie.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"git version 2.39.5": "2.39", "v2.27.1-desktop.1": "2.27", "5.0.0": "5.0", "github.com/docker/buildx v0.14.0 171fcbe": "0.14", "none": "", "99999999999999999999.1": "",
	} {
		if got := doctor.ParseVersion(text); got != want {
			t.Errorf("ParseVersion(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("git version 2.39.5")
	f.Fuzz(func(_ *testing.T, text string) { doctor.ParseVersion(text) })
}
