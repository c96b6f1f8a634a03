package master_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/master"
)

func TestMasterBecomesAnExecutableOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.Patient, runner.Listeners = true, nil
	runner.DeathSignal = syscall.SIGTERM
	s := setup{
		Pools: []watchdog.Pool{watched(2, nil), runner}, Address: freeAddress(t), Journal: filepath.Join(dir, "journal"),
		Place: filepath.Join(dir, "place"), Protocol: filepath.Join(dir, "protocol"), Reap: true,
	}
	o := startOutside(t, s)
	o.answers(t, 2)
	before := spareReady(t, lookAt(t, s.Place))
	idle, busy := dial(t, o.url), dial(t, o.url)
	idle.pid()
	old := busy.pid()
	mark := filepath.Join(dir, "begun")
	busy.send("/slow?for=1s&soft=1m&mark=" + mark)
	eventually(t, "the request runs", func() bool { return exists(mark) })

	failures := keepAsking(o.url)
	if err := os.WriteFile(s.Protocol, []byte("99"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all old workers are gone", func() bool {
		for _, w := range before.Workers {
			if alive(w.PID) {
				return false
			}
		}
		return true
	})
	if failed := failures(); len(failed) > 0 {
		t.Errorf("requests failed: %v\n%s", failed, o.log(t))
	}
	if status, body := busy.answer(); status != http.StatusOK || body != strconv.Itoa(old) {
		t.Errorf("the running request got %d %q", status, body)
	}
	after := spareReady(t, lookAt(t, s.Place))
	for _, w := range after.Workers {
		if w.Incarnation <= 3 {
			t.Errorf("incarnation %d was given twice", w.Incarnation)
		}
	}
	if n := strings.Count(o.log(t), "service ready"); n != 2 {
		t.Errorf("%d images of the master were ready", n)
	}
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := o.wait(); err != nil {
		t.Errorf("the master ended with %v", err)
	}
	deaths, err := journal.Read(s.Journal, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range deaths {
		if !d.Expected || d.ExitCode != 0 {
			t.Errorf("death: %+v", d)
		}
	}
	if len(deaths) != 8 {
		t.Errorf("%d deaths were recorded, want those of 2 × 4 processes", len(deaths))
	}
}

func TestMasterThatCannotBecomeAnotherExecutableGoesOn(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "executable")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	s := start(t, []watchdog.Pool{watched(1, nil)}, func(c *master.Config) {
		c.Executable, c.Self = link, []string{"master", "{}"}
		c.Protocol = func(context.Context) (int, error) { return 99, nil }
	}).ready()
	before := spareReady(t, s.look())
	remove(t, link)
	s.signal(syscall.SIGHUP)
	const failed = "cannot become the new executable"
	eventually(t, failed, func() bool { return s.logged(failed) })
	if after := spareReady(t, s.look()); after.Workers[0].PID != before.Workers[0].PID || len(s.dead()) != 0 {
		t.Errorf("workers were replaced: %+v", after.Workers)
	}
	// It can still do all that it could.
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	kill(t, s.pid())
	spareReady(t, s.look())
}

func TestOldWorkersServeOnWhenThoseOfTheNewExecutableFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	s := setup{
		Pools: []watchdog.Pool{child("http", 1, "unready-if", broken)}, Address: freeAddress(t),
		Protocol: filepath.Join(dir, "protocol"), Backoff: watchdog.Backoff{First: 50 * time.Millisecond, Max: 100 * time.Millisecond},
	}
	o := startOutside(t, s)
	old := o.answers(t, 1)[0]
	touch(t, broken)
	if err := os.WriteFile(s.Protocol, []byte("99"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "many new workers have failed", func() bool { return strings.Count(o.log(t), "the new configuration is wrong") > 4 })
	if now := o.answers(t, 1)[0]; now != old {
		t.Errorf("%d answers, not %d", now, old)
	}
	remove(t, broken)
	eventually(t, "a new one answers", func() bool { return o.answers(t, 1)[0] != old })
	eventually(t, "the old one is gone", func() bool { return !alive(old) })
}
