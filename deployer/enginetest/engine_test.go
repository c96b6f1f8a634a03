package enginetest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seadog/seadog/deployer/enginetest"
)

func TestEngineRunsAnImageAndLeavesNothing(t *testing.T) {
	var dir string
	var pid int
	t.Run("engine", func(t *testing.T) {
		e := enginetest.Start(t)
		dir, pid = filepath.Dir(e.Socket), e.PID
		e.Image(t, "server:1", "one")
		run := exec.CommandContext(t.Context(), "docker", "run", "-d", "--network", "none", "-e", "IGNORE_TERM=1", "server:1")
		run.Env = e.Env
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("docker run: %v: %s", err, out)
		}
	})
	if pid == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no engine")
		}
		t.Skip("SKIPPED: no engine")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the engine's directory is still there: %v", err)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("dockerd is still there")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		t.Error("something of the engine is still mounted")
	}
	args, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range args {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte(dir+"/")) {
			t.Errorf("process left: %s", bytes.ReplaceAll(text, []byte{0}, []byte(" ")))
		}
	}
}
