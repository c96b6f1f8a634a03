package main

import (
	"bytes"
	"context"
	"encoding/json"
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
)

// dumpCommand runs `seadog dump`.
func dumpCommand(ctx context.Context, stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	e := &env{Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }}
	cmd := newDumpCommand(e)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err != nil {
		stderr.WriteString(describe(err))
	}
	return outcome{stdout.String(), stderr.String(), exitCode(err)}
}

const hangingShop = `goroutine 1 [IO wait, 5 minutes]:
internal/poll.runtime_pollWait(0x7f, 0x72)
	/go/src/runtime/netpoll.go:351 +0x85
main.main()
	/shop/main.go:10 +0x85

goroutine 7 [sync.Mutex.Lock labels:{"slot": "3", "id": "r-1` + "\u202e" + `"}]:
internal/sync.(*Mutex).lockSlow(0xc000012340)
	/go/src/internal/sync/mutex.go:149 +0x15d
example.com/shop.(*Cart).Add(0xc000012340)
	/shop/cart.go:88 +0x1d
created by main.main in goroutine 1
	/shop/main.go:20 +0x1d

goroutine 8 [sync.Mutex.Lock labels:{"slot": "4"}]:
internal/sync.(*Mutex).lockSlow(0xc000012380)
	/go/src/internal/sync/mutex.go:149 +0x15d
example.com/shop.(*Cart).Pay(0xc000012380)
	/shop/cart.go:99 +0x1d
created by main.main in goroutine 1
	/shop/main.go:20 +0x1d
`

func TestDumpSaysWhatIsStuck(t *testing.T) {
	t.Parallel()
	const page = `
It looks like a deadlock: goroutines 7 and 8 each wait for a lock that the other may hold; if a second dump shows the same, it is one.

mutex 0xc000012340: 1 waiting
  waits        goroutine 7, id=r-1` + "\uFFFD" + `, slot=3, at shop.(*Cart).Add (cart.go:88)
  may hold it  goroutine 8, slot=4, at shop.(*Cart).Pay (cart.go:99), is in a method of the same type and waits for mutex 0xc000012380

mutex 0xc000012380: 1 waiting
  waits        goroutine 8, slot=4, at shop.(*Cart).Pay (cart.go:99)
  may hold it  goroutine 7, id=r-1` + "\uFFFD" + `, slot=3, at shop.(*Cart).Add (cart.go:88), is in a method of the same type and waits for mutex 0xc000012340

COUNT  STATE            AT                             STARTED IN
1      IO wait, ~5 min  main.main (main.go:10)
1      sync.Mutex.Lock  shop.(*Cart).Add (cart.go:88)  main.main
1      sync.Mutex.Lock  shop.(*Cart).Pay (cart.go:99)  main.main
3 goroutines
`
	t.Run("on stdin", func(t *testing.T) { dumpCommand(t.Context(), hangingShop).want(t, 0, page) })
	t.Run("in a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "dump")
		if err := os.WriteFile(file, []byte(hangingShop), 0o600); err != nil {
			t.Fatal(err)
		}
		dumpCommand(t.Context(), "", file).want(t, 0, page)
	})
	t.Run("behind a URL, asked for as text", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "debug=2" {
				http.Error(w, "protocol buffers", http.StatusTeapot)
				return
			}
			_, _ = w.Write([]byte(hangingShop))
		}))
		defer s.Close()
		dumpCommand(t.Context(), "", s.URL+"/debug/pprof/goroutine").want(t, 0, page)
		dumpCommand(t.Context(), "", s.URL+"?debug=1").want(t, exitUnreachable, "")
	})
	t.Run("for scripts", func(t *testing.T) {
		var got struct {
			Verdict string
			Locks   []struct{ Address string }
		}
		out := dumpCommand(t.Context(), hangingShop, "--json", "-")
		if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || len(got.Locks) != 2 || got.Locks[0].Address != "0xc000012340" {
			t.Errorf("%v in %s", err, out.stdout)
		}
	})
}

func TestDumpWithoutADump(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"of other text":            {nil, exitFailed, "no goroutine in it"},
		"of a file that is absent": {[]string{"/absent"}, exitNotFound, "no file /absent"},
		"of a pid without --kill":  {[]string{"4194304"}, exitNotFound, "--kill 4194304"},
		"of a process and a file":  {[]string{"--kill", "77", "x"}, exitUsage, "another source"},
		"of no process":            {[]string{"--kill", "4194304"}, exitNotFound, "no process"},
		"of init":                  {[]string{"--kill", "1"}, exitUsage, "cannot be dumped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := dumpCommand(t.Context(), "all is well\n", test.args...)
			if out.code != test.code || !strings.Contains(out.stderr, test.says) {
				t.Errorf("exit code %d: %s", out.code, out.stderr)
			}
		})
	}
}

func TestANumberThatIsAFileIsOne(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("1", []byte(hangingShop), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := dumpCommand(t.Context(), "", "1"); out.code != 0 || !strings.Contains(out.stdout, "shop.(*Cart).Add") {
		t.Errorf("exit code %d: %s%s", out.code, out.stdout, out.stderr)
	}
}

func TestDumpKills(t *testing.T) {
	t.Parallel()
	t.Run("a Go program, and reads its stderr if that is a file", func(t *testing.T) {
		t.Parallel()
		stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		defer stderr.Close()
		fmt.Fprint(stderr, hangingShop) // of an earlier life: not to be read
		victim := startVictim(t, stderr)
		out := dumpCommand(t.Context(), "", "--kill", fmt.Sprint(victim))
		if out.code != 0 || !strings.Contains(out.stdout, "Nothing is visibly stuck") || !strings.Contains(out.stderr, stderr.Name()) {
			t.Errorf("exit code %d: %s%s", out.code, out.stdout, out.stderr)
		}
	})
	t.Run("a Go program, and tells where its stderr goes if that is a pipe", func(t *testing.T) {
		t.Parallel()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		victim := startVictim(t, w)
		out := dumpCommand(t.Context(), "", "--kill", fmt.Sprint(victim))
		if out.code != 0 || out.stdout != "" || !strings.Contains(out.stderr, "pipe:[") {
			t.Errorf("exit code %d: %s%s", out.code, out.stdout, out.stderr)
		}
	})
	t.Run("nothing that is no Go program", func(t *testing.T) {
		t.Parallel()
		sleeper := exec.Command("sleep", "600")
		if err := sleeper.Start(); err != nil {
			t.Fatal(err)
		}
		out := dumpCommand(t.Context(), "", "--kill", fmt.Sprint(sleeper.Process.Pid))
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
		if out.code != exitConflict || !strings.Contains(out.stderr, "not touched") {
			t.Errorf("exit code %d: %s", out.code, out.stderr)
		}
		if s := sleeper.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGKILL {
			t.Errorf("it ended by %s", s.Signal())
		}
	})
}

const victimVariable = "SEADOG_TEST_DUMP_VICTIM"

// TestBeDumped is a process that waits for its end.
func TestBeDumped(t *testing.T) {
	if os.Getenv(victimVariable) == "" {
		t.Skip("part of TestDumpKills")
	}
	os.Stdout.Close()
	<-t.Context().Done() // the context of a test ends after it
}

// startVictim starts a Go program and returns its pid.
func startVictim(t *testing.T, stderr *os.File) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestBeDumped$")
	cmd.Env = append(os.Environ(), victimVariable+"=1")
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := io.Copy(io.Discard, stdout); err != nil { // ends when the test is reached
		t.Fatal(err)
	}
	return cmd.Process.Pid
}
