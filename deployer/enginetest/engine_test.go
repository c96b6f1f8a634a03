package enginetest_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seadog/seadog/deployer/enginetest"
)

func TestEngineRunsAnImageAndLeavesNothing(t *testing.T) {
	var dir string
	var pid int
	before := bridgeOfTheMachine()
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
	if after := bridgeOfTheMachine(); after != before {
		t.Errorf("docker0, which is another engine's, was interface %d and is %d", before, after)
	}
	if links, _ := net.Interfaces(); slices.ContainsFunc(links, func(l net.Interface) bool { return strings.HasPrefix(l.Name, fmt.Sprintf("sdt%d", os.Getpid())) }) {
		t.Error("the engine's bridge is still there")
	}
	args, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range args {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte(dir+"/")) {
			t.Errorf("process left: %s", bytes.ReplaceAll(text, []byte{0}, []byte(" ")))
		}
	}
}

// bridgeOfTheMachine returns the index of the bridge of the engine that the
// machine itself has, 0 if it has none.
func bridgeOfTheMachine() int {
	link, err := net.InterfaceByName("docker0")
	if err != nil {
		return 0
	}
	return link.Index
}
