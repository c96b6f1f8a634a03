package master_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

// answers waits until the service at o's address has n workers, and returns
// their pids.
func (o *outside) answers(t *testing.T, n int) []int {
	t.Helper()
	seen := map[int]bool{}
	eventually(t, fmt.Sprintf("%d workers answer", n), func() bool {
		if body, err := fetch(o.url + "/pid"); err == nil {
			pid, _ := strconv.Atoi(body)
			seen[pid] = true
		}
		return len(seen) >= n
	})
	var pids []int
	for pid := range seen {
		pids = append(pids, pid)
	}
	return pids
}

func TestNothingOutlivesAKilledMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.DeathSignal, runner.Listeners = syscall.SIGTERM, nil
	address := freeAddress(t)
	// A deaf one notices nothing; the kernel must end it.
	pools := []watchdog.Pool{child("http", 2, "http"), child("deaf", 1, "deaf"), runner}
	o := startOutside(t, setup{Pools: pools, Address: address})
	o.answers(t, 2)
	if _, err := fetch(o.url + "/ring"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	children := o.children(t)
	if len(children) != 4 {
		t.Fatalf("the master has children %v", children)
	}
	killed := time.Now()
	if err := o.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = o.wait()
	eventually(t, "the workers are gone", func() bool { return !slices.ContainsFunc(children, alive) })
	eventually(t, "the port is free", func() bool {
		l, err := net.Listen("tcp", address)
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
	if took := time.Since(killed); took > 1500*time.Millisecond {
		t.Errorf("workers were gone and the port free after %s", took)
	} else {
		t.Logf("workers gone and port free after %s", took)
	}
	eventually(t, "the runner gives up its work", func() bool { return matches(t, dir+"/gave-up.*") == 1 })
}

// children returns the pids of all processes that the master's threads started.
func (o *outside) children(t *testing.T) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", o.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread may have ended
		for _, f := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestServiceUnderSignals(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	o := startOutside(t, setup{Pools: []watchdog.Pool{child("http", 1, "http")}, Address: freeAddress(t), Journal: path})
	first := o.answers(t, 1)[0]
	kill(t, first)
	eventually(t, "a successor answers", func() bool { return o.answers(t, 1)[0] != first })
	// The death is on disk before there is a successor.
	deaths, err := journal.Read(path, 0)
	if err != nil || len(deaths) != 1 || deaths[0].Signal != "SIGKILL" || deaths[0].PID != first {
		t.Fatalf("journal: %+v, %v", deaths, err)
	}
	second := o.answers(t, 1)[0]
	if err := o.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a replacement answers", func() bool { return o.answers(t, 1)[0] != second })
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := o.wait(); err != nil {
		t.Errorf("the master ended with %v", err)
	}
	if deaths, err = journal.Read(path, 1); err != nil || len(deaths) != 2 || !deaths[0].Expected || !deaths[1].Expected {
		t.Errorf("journal: %+v, %v", deaths, err)
	}
}

func TestSystemdIsTold(t *testing.T) {
	t.Parallel()
	env := need(t, "env")
	path := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	hear := func(want string) {
		t.Helper()
		_ = systemd.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 256)
		for {
			n, err := systemd.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if strings.HasPrefix(string(buf[:n]), want) {
				return
			}
		}
	}
	o := startOutside(t, setup{Pools: []watchdog.Pool{child("http", 1, "http")}, Address: freeAddress(t)},
		env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=40000")
	hear("READY=1")
	hear("WATCHDOG=1")
	if err := o.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hear("RELOADING=1\nMONOTONIC_USEC=")
	hear("READY=1")
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	if err := o.wait(); err != nil {
		t.Errorf("the master ended with %v", err)
	}
}

func TestBrokenServiceEndsWithAnError(t *testing.T) {
	t.Parallel()
	o := startOutside(t, setup{Pools: []watchdog.Pool{child("http", 2, "broken")}})
	if err := o.wait(); err == nil || o.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the master ended with %v", err)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	t.Parallel()
	pools := func(dir string) []watchdog.Pool {
		runner := child("runner", 1, "runner", dir, "0.5")
		runner.Listeners = nil
		return []watchdog.Pool{runner}
	}
	gone := func(t *testing.T, dir, proc string) {
		t.Helper()
		eventually(t, "the orphan exists", func() bool { return exists(dir + "/orphan") })
		b, err := os.ReadFile(dir + "/orphan")
		if err != nil {
			t.Fatal(err)
		}
		pid := strings.TrimSpace(string(b))
		eventually(t, "no zombie is left of "+pid, func() bool { return !exists(filepath.Join(proc, pid)) })
	}
	t.Run("by a subreaper", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		o := startOutside(t, setup{Pools: pools(dir), Reap: true})
		eventually(t, "the orphan exists", func() bool { return exists(dir + "/orphan") })
		pid, err := os.ReadFile(dir + "/orphan")
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the master gets the orphan", func() bool {
			stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
			return err != nil || bytes.Contains(stat, fmt.Appendf(nil, ") S %d ", o.cmd.Process.Pid))
		})
		gone(t, dir, "/proc")
	})
	t.Run("by pid 1", func(t *testing.T) {
		t.Parallel()
		unshare := need(t, "unshare")
		if os.Getuid() != 0 {
			skip(t, "a pid namespace needs root")
		}
		dir := t.TempDir()
		o := startOutside(t, setup{Pools: pools(dir), Reap: true}, unshare, "--pid", "--fork", "--kill-child", "--mount-proc")
		// The namespace has a /proc of its own, seen through its first process.
		var inner string
		eventually(t, "the namespace has a process", func() bool {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", o.cmd.Process.Pid, o.cmd.Process.Pid))
			inner = strings.TrimSpace(string(b))
			return err == nil && inner != "" && exists(dir+"/orphan")
		})
		gone(t, dir, "/proc/"+inner+"/root/proc")
		n, err := strconv.Atoi(inner)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(n, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := o.wait(); err != nil {
			t.Errorf("the master ended with %v as pid 1", err)
		}
	})
}

func need(t *testing.T, command string) string {
	t.Helper()
	path, err := exec.LookPath(command)
	if err != nil {
		skip(t, err.Error())
	}
	return path
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("SKIPPED: " + why)
}

func TestWhatAWorkerInherits(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{func() watchdog.Pool {
		p := child("http", 1, "http")
		p.Env, p.GOMAXPROCS = []string{"OWN=1", "GODEBUG=madvdontneed=1", "NOTIFY_SOCKET=/run/x"}, 3
		p.Policy.Recycle.Memory = 1000 << 20
		return p
	}()}, nil).ready()
	t.Run("its commands get no descriptor", func(t *testing.T) {
		list := s.get("/grandchild")
		for _, line := range strings.Split(list, "\n") {
			m := regexp.MustCompile(` (\d+) -> (.*)$`).FindStringSubmatch(line)
			if m == nil {
				continue
			}
			// ls itself has the directory open.
			if n, _ := strconv.Atoi(m[1]); n > 2 && !strings.HasPrefix(m[2], "/proc/") {
				t.Errorf("a command inherits %s", line)
			}
		}
		if !strings.Contains(list, " 0 -> /dev/null") {
			t.Errorf("descriptors: %s", list)
		}
	})
	t.Run("it leaves no core", func(t *testing.T) {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.pid()))
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`Max core file size +0 +0 `).Match(limits) {
			t.Errorf("limits: %s", limits)
		}
	})
	t.Run("its environment is the one it was given", func(t *testing.T) {
		env := s.get("/env")
		for _, want := range []string{`"OWN=1"`, `"GOMAXPROCS=3"`, `"GOTRACEBACK=all"`, `"GOMEMLIMIT=838860800"`, `"GODEBUG=madvdontneed=1,tracebacklabels=1"`} {
			if !strings.Contains(env, want) {
				t.Errorf("%s is not in %s", want, env)
			}
		}
		for _, not := range []string{"NOTIFY_SOCKET", "SEADOG_MANIFEST", "HOME="} {
			if strings.Contains(env, not) {
				t.Errorf("%s is in %s", not, env)
			}
		}
	})
}

func TestDoorbellWakesOneOfSeveral(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, []watchdog.Pool{child("http", 1, "http"), child("runner", 2, "runner", dir)}, nil).ready()
	s.get("/ring")
	eventually(t, "one runner works", func() bool { return matches(t, dir+"/took.*") == 1 })
	s.get("/ring")
	eventually(t, "the other one works too", func() bool { return matches(t, dir+"/took.*") == 2 })
}
