package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

// childKind says what this executable is to do when it is not to test.
const childKind = "SEADOG_TEST_CHILD"

func TestMain(m *testing.M) {
	kind := os.Getenv(childKind)
	if kind == "" {
		os.Exit(m.Run())
	}
	if err := play(kind); err != nil {
		fmt.Println("child:", err)
		os.Exit(1)
	}
}

// play is the child's part: it says a line when it is ready, and lives as long
// as its standard input.
func play(kind string) error {
	word := "ready"
	switch kind {
	case "plain":
	case "end":
		return nil
	case "spin":
		go func() {
			for n := uint64(1); n > 0; n++ {
			}
		}()
	case "named":
		if err := os.WriteFile("/proc/self/comm", []byte("x) Z 1 (y) R"), 0); err != nil {
			return err
		}
	case "undumpable":
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return err
		}
		if err := process.CanSeize(); err != nil {
			word = err.Error()
		}
	case "memory":
		if err := occupy(); err != nil {
			return err
		}
	case "descriptors":
		for range 600 {
			if _, _, err := os.Pipe(); err != nil {
				return err
			}
		}
	case "threads":
		if err := crowd(300); err != nil {
			return err
		}
	default:
		return fmt.Errorf("what is %q?", kind)
	}
	fmt.Println(word)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// occupy takes 32 MiB alone and 64 MiB shared.
func occupy() error {
	for _, m := range []struct{ size, flags int }{{32 << 20, unix.MAP_PRIVATE}, {64 << 20, unix.MAP_SHARED}} {
		b, err := unix.Mmap(-1, 0, m.size, unix.PROT_READ|unix.PROT_WRITE, m.flags|unix.MAP_ANONYMOUS)
		if err != nil {
			return err
		}
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
	}
	return nil
}

// crowd starts n threads that read from a pipe for ever.
func crowd(n int) error {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	started := make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread()
			started <- struct{}{}
			var b [1]byte
			_, _ = unix.Read(p[0], b[:])
		}()
	}
	for range n {
		<-started
	}
	return nil
}

// child is a running process of ours.
type child struct {
	*exec.Cmd
	pidfd int
	word  string // what it said when it was ready
}

// start runs a child that has files as its descriptors 3 and up.
func start(t *testing.T, kind string, files ...*os.File) child {
	t.Helper()
	return startIn(t, 0, kind, files...)
}

// startIn does so in an existing process group; in a new one if that is 0.
func startIn(t *testing.T, group int, kind string, files ...*os.File) child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := child{Cmd: exec.Command(exe), pidfd: -1}
	c.Env = append(os.Environ(), childKind+"="+kind)
	c.ExtraFiles = files
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group, PidFD: &c.pidfd}
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(t) })
	if kind == "end" {
		return c
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("child %s: %q, %v", kind, said, err)
	}
	c.word = strings.TrimSpace(said)
	return c
}

// end kills the child and waits for it; a second time it does nothing.
func (c child) end(t *testing.T) {
	t.Helper()
	if c.ProcessState != nil {
		return
	}
	if err := c.Process.Kill(); err != nil {
		t.Logf("kill child: %v", err)
	}
	_ = c.Wait() // says that it was killed
	if err := unix.Close(c.pidfd); err != nil {
		t.Errorf("close pidfd: %v", err)
	}
}

// freeze stops the child as a frozen worker is: it does nothing, and has everything.
func (c child) freeze(t *testing.T) {
	t.Helper()
	if err := c.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// This returns when all threads have stopped.
	if err := unix.Waitid(unix.P_PID, c.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if s, err := process.Stat(c.Process.Pid); err != nil || !s.Stopped() {
		t.Fatalf("stopped, but it is %+v, %v", s, err)
	}
}

// eventually waits until something is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// ordinary is set where this test runs once more.
const ordinary = "SEADOG_TEST_ORDINARY"

func TestEverythingAlsoAsAnOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv(ordinary) == "" {
			t.Skip("SKIPPED: not root, the other tests have shown it")
		}
		return
	}
	// The directory of the test binary is its builder's alone.
	dir, err := os.MkdirTemp("", "process-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "process.test")
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.timeout=60s", "-test.paniconexit0")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), ordinary+"=1", "TMPDIR=/tmp")
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestSeize") || strings.Contains(string(out), "SKIPPED") {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
