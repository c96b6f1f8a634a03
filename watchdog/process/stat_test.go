package process_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func TestStat(t *testing.T) {
	t.Parallel()
	t.Run("knows whose child it is, and tells processes apart", func(t *testing.T) {
		t.Parallel()
		one, two := start(t, "plain"), start(t, "plain")
		a, err := process.Stat(one.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if a.Parent != os.Getpid() || a.Group != one.Process.Pid || a.Threads < 1 || a.Started == 0 || a.Stopped() || a.Ended() {
			t.Errorf("got %+v", a)
		}
		b, err := process.Stat(two.Process.Pid)
		if err != nil || b.Started < a.Started {
			t.Errorf("the second child started at %d, before the first at %d: %v", b.Started, a.Started, err)
		}
		again, err := process.Stat(one.Process.Pid)
		if err != nil || again.Started != a.Started {
			t.Errorf("it started at %d, and at %d: %v", a.Started, again.Started, err)
		}
	})
	t.Run("sees a stopped process, and one that goes on", func(t *testing.T) {
		t.Parallel()
		c := start(t, "plain")
		c.freeze(t)
		if err := c.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the child goes on", func() bool {
			s, err := process.Stat(c.Process.Pid)
			return err == nil && !s.Stopped()
		})
	})
	t.Run("sees a process that ended and was not reaped", func(t *testing.T) {
		t.Parallel()
		c := start(t, "end")
		eventually(t, "the child has ended", func() bool {
			s, err := process.Stat(c.Process.Pid)
			return err == nil && s.Ended()
		})
		if n, err := process.RSS(c.Process.Pid); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its memory: %d, %v", n, err)
		}
	})
	t.Run("knows what it used", func(t *testing.T) {
		t.Parallel()
		c := start(t, "spin")
		eventually(t, "the child has used 50 ms", func() bool {
			s, err := process.Stat(c.Process.Pid)
			return err == nil && s.CPU >= 50*time.Millisecond
		})
	})
	t.Run("believes no name", func(t *testing.T) {
		t.Parallel()
		c := start(t, "named")
		s, err := process.Stat(c.Process.Pid)
		if err != nil || s.Parent != os.Getpid() || s.Ended() {
			t.Errorf("got %+v, %v", s, err)
		}
	})
	t.Run("knows no process that there is not", func(t *testing.T) {
		t.Parallel()
		if _, err := process.Stat(1 << 30); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStatLines(t *testing.T) {
	t.Parallel()
	good := "4711 (a b) R) S 12 34 34 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 987654 1 2 3"
	s, err := process.ParseStat([]byte(good))
	if want := (process.Status{State: 'S', Parent: 12, Group: 34, Threads: 9, Started: 987654, CPU: 2 * time.Second, Reaped: 150 * time.Millisecond}); err != nil || s != want {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, state := range []byte("RSDTtZXI") {
		s := process.Status{State: state}
		if s.Stopped() != (state == 'T' || state == 't') || s.Ended() != (state == 'Z' || state == 'X') {
			t.Errorf("state %c: stopped %t, ended %t", state, s.Stopped(), s.Ended())
		}
	}
	for fact, line := range map[string]string{
		"empty":                   "",
		"no name":                 "4711 S 12",
		"name only":               "4711 (x)",
		"cut before its start":    good[:strings.Index(good, " 987654")],
		"a state of two letters":  strings.Replace(good, " S ", " SS ", 1),
		"a parent that is a word": strings.Replace(good, " 12 ", " one ", 1),
	} {
		if s, err := process.ParseStat([]byte(line)); err == nil {
			t.Errorf("%s: got %+v", fact, s)
		}
	}
}

func FuzzStatLine(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("1 (x) y) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5"))
	f.Add([]byte(") "))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := process.ParseStat(line)
		if err == nil && bytes.IndexByte(line, s.State) < 0 {
			t.Errorf("state %q of %q", s.State, line)
		}
	})
}

func FuzzStatusLines(f *testing.F) {
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("VmRSS:\t 99999999999999999 kB\n"))
	f.Fuzz(func(t *testing.T, status []byte) {
		n, err := process.Kilobytes(status, "VmRSS")
		if err == nil && (n%1024 != 0 || n < 0 && !bytes.Contains(status, []byte("-"))) {
			t.Errorf("%d bytes in %q", n, status)
		}
	})
}
