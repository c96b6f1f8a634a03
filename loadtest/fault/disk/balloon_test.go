package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault/disk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guard is a guardian that only takes notes.
type guard struct {
	mu       sync.Mutex
	told     []string
	released int
}

func (g *guard) note(what string) (func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, what)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.released++
	}, nil
}

// mounted returns where a filesystem of 4 MiB is mounted.
func mounted(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a disk can be filled by root only")
		}
		t.Skip("SKIPPED: a disk can be filled by root only")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func free(t *testing.T, dir string) int64 {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bfree) * s.Bsize
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestFullDiskTakesNothingUntilUndo(t *testing.T) {
	t.Parallel()
	dir := mounted(t)
	before := free(t, dir)
	var g guard
	b, err := disk.Fill(dir, 0, g.note)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "more"), []byte("x"), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a byte more: %v", err)
	}
	if bytes := b.Effects()["bytes"]; int64(bytes) != before {
		t.Errorf("%d bytes were free, %d were taken", before, bytes)
	}
	if len(g.told) != 1 || !strings.HasPrefix(g.told[0], "remove ") || !strings.Contains(g.told[0], " "+dir+"/.balloon-") {
		t.Errorf("the guardian was told %q", g.told)
	}
	if err := os.Remove(filepath.Join(dir, "more")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Undo(); err != nil {
			t.Error(err)
		}
	}
	if after := free(t, dir); after != before || len(names(t, dir)) != 0 || g.released != 1 {
		t.Errorf("%d bytes free before and %d after, left: %q, released %d times", before, after, names(t, dir), g.released)
	}
}

func TestFullDiskStaysFullWhenOthersDelete(t *testing.T) {
	t.Parallel()
	dir := mounted(t)
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := disk.Fill(dir, 0, new(guard).note)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Undo() })
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for free(t, dir) > 0 {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("%d bytes are free", free(t, dir))
		}
	}
	if err := b.Undo(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsToBeLeftIsLeft(t *testing.T) {
	t.Parallel()
	dir := mounted(t)
	b, err := disk.Fill(dir, 1<<20, new(guard).note)
	if err != nil {
		t.Fatal(err)
	}
	if left := free(t, dir); left < 1<<20 || left > 1<<20+4096 {
		t.Errorf("%d bytes are left", left)
	}
	if err := b.Undo(); err != nil {
		t.Error(err)
	}
}

func TestOnlyAFilesystemOfItsOwnIsFilled(t *testing.T) {
	t.Parallel()
	dir := mounted(t)
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	twice := mounted(t)
	elsewhere := t.TempDir()
	if err := unix.Mount(twice, elsewhere, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(elsewhere, 0) })
	for _, c := range []struct{ dir, want string }{
		{"/", "root directory"},
		{t.TempDir(), "no filesystem is mounted there"},
		{inside, "no filesystem is mounted there"},
		{twice, "also mounted on " + elsewhere},
		{elsewhere, "also mounted on " + twice},
		{filepath.Join(dir, "absent"), "no such file"},
	} {
		b, err := disk.Fill(c.dir, 0, new(guard).note)
		if err == nil {
			_ = b.Undo()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.dir, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	b, err := disk.Fill(link, 0, new(guard).note)
	if err != nil {
		t.Fatalf("through a link: %v", err)
	}
	if err := b.Undo(); err != nil {
		t.Error(err)
	}
}

func TestNothingIsFilledWithoutAGuardian(t *testing.T) {
	t.Parallel()
	dir := mounted(t)
	_, err := disk.Fill(dir, 0, func(string) (func(), error) { return nil, errors.New("no guardian") })
	if err == nil || len(names(t, dir)) != 0 {
		t.Errorf("got %v, and %q", err, names(t, dir))
	}
}

func TestOrdinaryUsersFillNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	result := make(chan error)
	go func() {
		// The thread becomes an ordinary user's, and is not used again.
		runtime.LockOSThread()
		const nobody = 65534
		if os.Geteuid() == 0 {
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); errno != 0 {
				result <- errno
				return
			}
		}
		_, err := disk.Fill(dir, 0, new(guard).note)
		result <- err
	}()
	if err := <-result; err == nil || !strings.Contains(err.Error(), "only root may") {
		t.Errorf("got %v", err)
	}
}
