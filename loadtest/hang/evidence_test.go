package hang_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/hang"
)

func TestADeadlockIsFoundWithBothStacks(t *testing.T) {
	t.Parallel()
	child := startServer(t)
	s := soon(child.url)
	s.Target.PID = child.cmd.Process.Pid
	s.Target.Pprof.URL = child.pprof + "/"
	w := watch(t, s)
	w.send(t.Context(), child.url+"/healthz")
	for _, path := range []string{"/deposit", "/withdraw"} {
		w.begin(child.url + path)
	}
	told := map[string]string{}
	for range 2 {
		r := w.next()
		told[r.Rule] = r.Text
	}
	if !strings.Contains(told["H1"], "no first byte for 300ms") || !strings.Contains(told["H2"], "no request was completed for") {
		t.Errorf("told: %v", told)
	}
	got := w.settled("a deadlock", func(rs []loadtest.HangReport) bool { return rs[0].Deadlock != "" })
	for _, r := range got {
		if strings.Join(r.Evidence, " ") != strings.Join(got[0].Evidence, " ") {
			t.Errorf("events that began together do not share their evidence: %q, %q", r.Evidence, got[0].Evidence)
		}
		if !strings.HasPrefix(r.Deadlock, "deadlock suspected: 2 goroutines wait for locks") ||
			!strings.Contains(r.Deadlock, "(*bank).deposit") || !strings.Contains(r.Deadlock, "(*bank).withdraw") || !strings.HasSuffix(r.Deadlock, " goroutines") {
			t.Errorf("%s: %q", r.Rule, r.Deadlock)
		}
		for _, name := range []string{"goroutines-1.txt", "goroutines-2.txt"} {
			dump := w.evidence(r, name)
			if !strings.Contains(dump, "(*bank).deposit") || !strings.Contains(dump, "(*bank).withdraw") {
				t.Errorf("%s of %s does not show both:\n%s", name, r.Rule, dump)
			}
		}
		if text := w.evidence(r, "inflight.txt"); !strings.Contains(text, "1 requests had been completed") || strings.Count(text, "no first byte") != 2 {
			t.Errorf("inflight.txt:\n%s", text)
		}
		if text := w.evidence(r, "processes-1.txt"); !strings.Contains(text, fmt.Sprintf("process %d (", s.Target.PID)) || !strings.Contains(text, "VmRSS") {
			t.Errorf("processes-1.txt:\n%s", text)
		}
		if w.evidence(r, "block.txt") == "" || w.evidence(r, "mutex.txt") == "" {
			t.Error("profiles are empty")
		}
		if trace := w.evidence(r, "flight.trace"); !strings.HasPrefix(trace, "go 1.") { // as every trace does
			t.Errorf("flight.trace begins with %.16q", trace)
		}
	}
	if after := w.Hangs(); len(after) != 2 {
		t.Errorf("%d events: %+v", len(after), after)
	}
}

func TestTheServicesOwnIncidentsAreEvidence(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/api/v1/incidents":
			<-hold
		case r.Header.Get("Authorization") == "Bearer t0ken":
			_, _ = io.WriteString(w, `{"incidents":[{"id":"i-1"}]}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	defer close(hold)
	for name, header := range map[string]http.Header{"with a token": {"Authorization": {"Bearer t0ken"}}, "without one": nil} {
		w := watch(t, soon(server.URL), func(c *hang.Config) {
			c.Incidents = loadtest.Endpoint{URL: server.URL + "/api/v1/incidents", Header: header}
		})
		w.begin(server.URL)
		w.next()
		if header != nil {
			r := w.settled("incidents", func(rs []loadtest.HangReport) bool { return len(rs[0].Evidence) == 2 })[0]
			if text := w.evidence(r, "incidents.json"); !strings.Contains(text, "i-1") {
				t.Errorf("%s: incidents.json: %s", name, text)
			}
		} else {
			w.settled("a note", func(rs []loadtest.HangReport) bool {
				return strings.Contains(rs[0].Text, "its incidents could not be read: it answered 401")
			})
		}
		w.giveUp()
		w.end()
	}
}

func TestSIGQUITIsSentOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		t.Run(fmt.Sprintf("allowed %t", allowed), func(t *testing.T) {
			t.Parallel()
			child := startServer(t)
			s := soon(child.url)
			s.Target.PIDFile = filepath.Join(t.TempDir(), "pid")
			if err := os.WriteFile(s.Target.PIDFile, fmt.Appendln(nil, child.cmd.Process.Pid), 0o600); err != nil {
				t.Fatal(err)
			}
			s.Target.Pprof.URL = child.url + "/nothing/debug/pprof"
			w := watch(t, s, func(c *hang.Config) { c.AllowSIGQUIT = allowed })
			for _, path := range []string{"/deposit", "/withdraw"} {
				w.begin(child.url + path)
			}
			w.next()
			r := w.settled("a conclusion", func(rs []loadtest.HangReport) bool { return strings.Contains(rs[0].Text, "pprof did not answer") })[0]
			if !allowed {
				w.end()
				if err := child.cmd.Process.Signal(syscall.Signal(0)); err != nil || strings.Contains(w.Hangs()[0].Text, "SIGQUIT") {
					t.Errorf("the process was touched: %v, %s", err, r.Text)
				}
				return
			}
			r = w.settled("SIGQUIT", func(rs []loadtest.HangReport) bool {
				return strings.Contains(rs[0].Text, "which ended; its stderr is "+child.stderr)
			})[0]
			r = w.settled("a dump", func(rs []loadtest.HangReport) bool {
				return len(rs[0].Evidence) > len(r.Evidence) || strings.Contains(strings.Join(rs[0].Evidence, " "), "sigquit")
			})[0]
			if dump := w.evidence(r, "sigquit.txt"); !strings.Contains(dump, "(*bank).deposit") {
				t.Errorf("sigquit.txt:\n%s", dump)
			}
		})
	}
}

// locks is a service with two processes whose threads lock in different orders.
const locks = `
import os, sys, threading
def work():
    a, b, met = threading.Lock(), threading.Lock(), threading.Barrier(2)
    def first():
        with a:
            met.wait()
            b.acquire()
    threading.Thread(target=first, daemon=True).start()
    with b:
        met.wait()
        a.acquire()
for _ in range(2):
    if os.fork() == 0:
        work()
print("here", flush=True)
sys.stdin.read()
`

func TestAProgramThatIsNotGoIsExplainedByItsProcesses(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing")
		}
		t.Skip("SKIPPED: python3 is missing; install it to test programs that are not Go")
	}
	cmd := exec.Command(python, "-c", locks)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	line := startChild(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	line()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	s := soon(server.URL) // what it answers is another matter
	s.Target.PID = cmd.Process.Pid
	w := watch(t, s, func(c *hang.Config) { c.AllowSIGQUIT, c.Apart = true, 500*time.Millisecond })
	w.begin(server.URL)
	w.next()
	r := w.settled("a conclusion", func(rs []loadtest.HangReport) bool { return rs[0].Deadlock != "" })[0]
	if !strings.HasPrefix(r.Deadlock, "2 of 2 workers waiting in futex") || !strings.HasSuffix(r.Deadlock, "looks like a lock") {
		t.Errorf("got %q", r.Deadlock)
	}
	if text := w.evidence(r, "processes-2.txt"); strings.Count(text, "process ") < 3 || !strings.Contains(text, "futex") {
		t.Errorf("processes-2.txt:\n%s", text)
	}
	w.settled("a note", func(rs []loadtest.HangReport) bool { return strings.Contains(rs[0].Text, "SIGQUIT was not sent") })
}

// TestProcessesAreAskedWhereNoPprofIsNamed: what one of them says twice is the conclusion.
func TestProcessesAreAskedWhereNoPprofIsNamed(t *testing.T) {
	t.Parallel()
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	s := soon(server.URL)
	s.Target.PID = child.Process.Pid
	w := watch(t, s, func(c *hang.Config) {
		c.Apart = 300 * time.Millisecond
		c.Ask = func(_ context.Context, pid int) ([]byte, error) {
			if pid != child.Process.Pid {
				return nil, errors.New("the process takes no questions")
			}
			return []byte("its stacks"), nil
		}
		c.Parse = func(dump []byte) ([]hang.Stack, string) {
			if len(dump) == 0 {
				return nil, ""
			}
			return nil, string(dump) + " say that two wait for each other"
		}
	})
	w.begin(server.URL)
	w.next()
	r := w.settled("a conclusion", func(rs []loadtest.HangReport) bool { return rs[0].Deadlock != "" })[0]
	if want := fmt.Sprintf("in process %d (sleep): its stacks say that two wait for each other", child.Process.Pid); r.Deadlock != want {
		t.Errorf("got %q, want %q", r.Deadlock, want)
	}
	if strings.Contains(r.Text, "no pprof") {
		t.Errorf("it complains: %s", r.Text)
	}
	if text := w.evidence(r, fmt.Sprintf("goroutines-2-of-%d.txt", child.Process.Pid)); text != "its stacks" {
		t.Errorf("the dump is %q", text)
	}
}

// TestRunEndsWhileEvidenceIsGathered: pprof does not answer, and the second
// dump would be due in a minute.
func TestRunEndsWhileEvidenceIsGathered(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	s := soon(server.URL)
	s.Target.Pprof.URL = server.URL
	w := watch(t, s, func(c *hang.Config) { c.Apart = time.Minute })
	w.begin(server.URL)
	w.next()
	w.giveUp()
	w.end()
	if r := w.Hangs()[0]; !strings.Contains(r.Text, "pprof did not answer") {
		t.Errorf("got %+v", r)
	}
}
