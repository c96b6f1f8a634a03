package locate_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

var layout = scoreboard.Layout{
	Pools:    []scoreboard.PoolLayout{{Name: "http", Regions: 4, Slots: 8}, {Name: "runner", Regions: 2}},
	Counters: []string{"a", "b"}, Routes: []string{"/x"},
}

// publish creates a board of this process and publishes it.
func publish(t *testing.T) (string, locate.Place, *scoreboard.Board) {
	t.Helper()
	board, f, err := scoreboard.Create(layout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), board.Close()); err != nil {
			t.Error(err)
		}
	})
	place, err := locate.Self(f)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "master.json")
	if err := locate.Write(path, place); err != nil {
		t.Fatal(err)
	}
	return path, place, board
}

func TestAPublishedBoardIsFoundAndRead(t *testing.T) {
	t.Parallel()
	path, want, board := publish(t)
	place, err := locate.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, place); diff != "" {
		t.Error(diff)
	}
	if up := place.Uptime(); up <= 0 || up > time.Hour {
		t.Errorf("up for %s", up)
	}
	found, err := place.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	board.Pools()[0].Set(scoreboard.Backlog, 7)
	if got := found.Snapshot().Pools[0].Backlog; got != 7 {
		t.Errorf("the backlog is %d", got)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("files: %v, %v", entries, err)
	}
}

func TestWithoutAMasterThereIsNoBoard(t *testing.T) {
	t.Parallel()
	path, place, _ := publish(t)
	other := place
	other.Started++
	if err := locate.Write(path, other); err != nil {
		t.Fatal(err)
	}
	if _, err := locate.Find(path); !errors.Is(err, locate.ErrGone) {
		t.Errorf("another process with that pid: %v", err)
	}
	if _, err := other.Open(); !errors.Is(err, locate.ErrGone) {
		t.Errorf("opened: %v", err)
	}
	other = place
	other.Scoreboard = 1 << 20
	if _, err := other.Open(); !errors.Is(err, locate.ErrGone) {
		t.Errorf("no such descriptor: %v", err)
	}
	for range 2 {
		if err := locate.Remove(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := locate.Find(path); !errors.Is(err, locate.ErrNone) {
		t.Errorf("after it was taken back: %v", err)
	}
}

func TestADescriptorThatIsNoBoardIsRefused(t *testing.T) {
	t.Parallel()
	_, place, _ := publish(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if place, err = locate.Self(f); err != nil {
		t.Fatal(err)
	}
	if _, err := place.Open(); err == nil {
		t.Error("a file was taken for a scoreboard")
	}
}

func TestADamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.json")
	for _, content := range []string{"", "{", "{}", `{"pid":-1}`, `{"pid":1,"scoreboard":-3}`, "[]"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := locate.Find(path); err == nil {
			t.Errorf("%q was taken for a place", content)
		}
	}
}

// TestAStrangerIsForbiddenToLook runs itself as a user who may not see the
// descriptors of this process.
func TestAStrangerIsForbiddenToLook(t *testing.T) {
	if path := os.Getenv("LOCATE_TEST_PATH"); path != "" {
		lookAsAStranger(t, path)
		return
	}
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can become another user")
		}
		t.Skip("SKIPPED: only root can become another user")
	}
	_, place, _ := publish(t)
	dir, err := os.MkdirTemp("", "locate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "master.json")
	if err := errors.Join(os.Chmod(dir, 0o755), locate.Write(path, place), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	content, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, content, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run=^TestAStrangerIsForbiddenToLook$")
	cmd.Dir, cmd.Env = dir, []string{"LOCATE_TEST_PATH=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func lookAsAStranger(t *testing.T, path string) {
	place, err := locate.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := place.Open(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("opened: %v", err)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(`{"pid":1,"started":2,"scoreboard":3}`))
	f.Add([]byte(`{"pid":"x"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "master.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := locate.Find(path); err == nil && !p.Alive() {
			t.Errorf("%+v", p)
		}
	})
}
