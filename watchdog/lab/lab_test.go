package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// labMain is watchdog and worker of a lab in a test.
func labMain() int {
	var c Config
	if err := json.Unmarshal([]byte(os.Getenv(childVariable)), &c); err != nil {
		return 2
	}
	c.Log = slog.New(slog.NewTextHandler(os.Stdout, nil))
	if err := Run(context.Background(), c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// running is a whole lab: a watchdog and its workers.
type running struct {
	t    *testing.T
	c    Config
	cmd  *exec.Cmd
	out  *bytes.Buffer // of all processes; to be read when they are gone
	http http.Client
}

func startLab(t *testing.T, c Config) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Listen, c.Data, c.Faults, c.Args = l.Addr().String(), t.TempDir(), t.TempDir(), []string{"lab"}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, c: c, cmd: exec.Command(exe, "lab"), out: new(bytes.Buffer)}
	r.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.http = http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
		if t.Failed() {
			t.Log(r.out.String())
		}
	})
	eventually(t, "it answers", func() bool {
		status, _, _ := r.get("/health")
		return status == 200
	})
	return r
}

// get returns status 0 if there is no answer.
func (r *running) get(path string) (status int, body string, header http.Header) {
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.c.Listen+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.http.Do(req)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error(), nil
	}
	return res.StatusCode, string(text), res.Header
}

// stop ends it in order.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("it ended with %v", err)
	}
	l, err := net.Listen("tcp", r.c.Listen)
	if err != nil {
		r.t.Fatalf("the port is not free: %v", err)
	}
	_ = l.Close()
}

func (r *running) incidents() []watchdog.Incident {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.c.Data, "incidents", "*.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	var all []watchdog.Incident
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // temporary, or just replaced
		}
		var i watchdog.Incident
		if err := json.Unmarshal(text, &i); err != nil {
			r.t.Fatalf("%s: %v", f, err)
		}
		all = append(all, i)
	}
	return all
}

func TestAStuckRequestIsAnsweredAndItsWorkerReplaced(t *testing.T) {
	t.Parallel()
	r := startLab(t, Config{Harakiri: 300 * time.Millisecond, Mercy: 300 * time.Millisecond})
	status, body, _ := r.get("/deadlock?id=stuck")
	var answer struct{ Request, Incident string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 504 || answer.Request == "" || answer.Incident == "" {
		t.Fatalf("%d %s", status, body)
	}
	note, err := os.ReadFile(filepath.Join(r.c.Faults, "stuck"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(note))[0])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	eventually(t, "an incident names the request", func() bool {
		for _, i := range r.incidents() {
			for _, s := range i.Stuck {
				if s.Request == answer.Request && s.Route == "GET /deadlock" {
					return true
				}
			}
		}
		return false
	})
	for range 20 {
		if status, body, header := r.get("/health"); status != 200 || header.Get("X-Pid") == strconv.Itoa(pid) {
			t.Fatalf("%d %s from %s", status, body, header.Get("X-Pid"))
		}
	}
	r.stop()
}

func TestAStreamOutlivesTheDeadline(t *testing.T) {
	t.Parallel()
	r := startLab(t, Config{Harakiri: 250 * time.Millisecond})
	const tenTimes = "/stream?s=2.5" // begun answers have a second more
	status, body, _ := r.get(tenTimes)
	if n := strings.Count(body, "data: "); status != 200 || n < 15 {
		t.Errorf("%d, %d events", status, n)
	}
	r.stop()
}

func TestABareLabServesTheSame(t *testing.T) {
	t.Parallel()
	r := startLab(t, Config{Bare: true, Harakiri: 100 * time.Millisecond})
	if status, body, _ := r.get("/sleep?s=0.3"); status != 200 || body != "slept" {
		t.Errorf("nothing watches, and still %d %s", status, body)
	}
	r.stop()
}

func TestALabThatIsToldTooLittleSaysSo(t *testing.T) {
	t.Parallel()
	if err := Run(t.Context(), Config{}); err == nil || !strings.Contains(err.Error(), "no data directory") {
		t.Errorf("%v", err)
	}
}
