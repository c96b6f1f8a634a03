package lab

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog/lock"
)

// childVariable makes the test binary something else: the application alone,
// or the lab with that configuration.
const (
	childVariable = "SEADOG_LAB_TEST_CHILD"
	childPlain    = "plain"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
	case childPlain:
		os.Exit(plainMain())
	default:
		os.Exit(labMain())
	}
	// fasthttp keeps the date of its answers up to date for ever.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// plainMain serves the application without anything that watches, for faults
// that no test process survives.
func plainMain() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Println(l.Addr())
	if err := newApp(context.Background(), nil, Config{}, lock.New(), nil).Listener(l); err != nil {
		return 1
	}
	return 0
}

type child struct {
	t    *testing.T
	addr string
	cmd  *exec.Cmd
}

func startChild(t *testing.T) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(exe)}
	c.cmd.Env = append(os.Environ(), childVariable+"="+childPlain)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	c.addr = strings.TrimSpace(line)
	return c
}

// get returns an error if there is no answer within a while.
func (c *child) get(path string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.addr+path, nil)
	if err != nil {
		return err
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

const (
	patience = 20 * time.Second
	stuck    = 300 * time.Millisecond // long enough for what ends by itself
)

func TestStuckRequestsAreStuckAndNobodyElse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/sleep", "/spin", "/cspin", "/deadlock"} {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			c := startChild(t)
			for range 2 {
				if c.get(path, stuck) == nil {
					t.Errorf("%s was answered", path)
				}
			}
			if path == "/cspin" {
				return // what stops the world now stops it for ever
			}
			if err := c.get("/health", patience); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheHoleSwallowsItsOwnOnly(t *testing.T) {
	t.Parallel()
	c := startChild(t)
	for _, path := range []string{"/blackhole", "/blackhole", "/blackhole?shut=1", "/health"} {
		if err := c.get(path, patience); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for range 2 {
		if c.get("/blackhole", stuck) == nil {
			t.Error("it let somebody through")
		}
	}
}

func TestACrashIsASegmentationFault(t *testing.T) {
	t.Parallel()
	c := startChild(t)
	if c.get("/crash", patience) == nil {
		t.Error("it was answered")
	}
	_ = c.cmd.Wait()
	if s := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGSEGV || s.CoreDump() {
		t.Errorf("ended with %s", c.cmd.ProcessState)
	}
}

func TestFreezingStopsTheProcess(t *testing.T) {
	t.Parallel()
	c := startChild(t)
	if c.get("/freeze", stuck) == nil {
		t.Error("it was answered")
	}
	eventually(t, "the process is stopped", func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
		return err == nil && strings.Contains(string(text), "State:\tT")
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
		<-tick.C
	}
}
