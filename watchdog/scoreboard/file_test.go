package scoreboard_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// head is the beginning of a good file, without its regions.
func head(t testing.TB, f *os.File) ([]byte, int64) {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	good := make([]byte, 3*4096)
	if _, err := f.ReadAt(good, 0); err != nil {
		t.Fatal(err)
	}
	return good, info.Size()
}

func openCopy(t testing.TB, content []byte, size int64) (*scoreboard.Board, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "board")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return scoreboard.Open(file)
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	_, f := create(t)
	good, size := head(t, f)
	word := func(i int, v uint64) func([]byte) {
		return func(b []byte) { binary.NativeEndian.PutUint64(b[i*8:], v) }
	}
	same := func([]byte) {}
	for name, c := range map[string]struct {
		change func([]byte)
		size   int64
		want   string
	}{
		"empty":              {same, 0, "cut short"},
		"header cut":         {same, 20, "cut short"},
		"layout cut":         {same, 100, "cut short"},
		"one byte short":     {same, size - 1, "its layout promises"},
		"one page more":      {same, size + 4096, "its layout promises"},
		"not a scoreboard":   {word(0, 1), size, "not a scoreboard"},
		"another version":    {word(1, 9), size, "restart the service"},
		"another size":       {word(2, 8192), size, "its layout promises"},
		"an absurd layout":   {word(3, 1<<40), size, "claims a layout"},
		"a layout cut short": {word(3, 10), size, "read layout"},
		"a layout of nobody": {func(b []byte) { copy(b[32:], `{"pools":[]}`+strings.Repeat(" ", 400)) }, size, ""},
	} {
		content := append([]byte(nil), good...)
		c.change(content)
		b, err := openCopy(t, content, c.size)
		if err == nil {
			t.Errorf("%s was accepted", name)
			_ = b.Close()
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	b, err := openCopy(t, good, size)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestNobodyCanCutTheFile(t *testing.T) {
	t.Parallel()
	_, f := create(t)
	if err := f.Truncate(0); err == nil {
		t.Error("the file was truncated under its readers")
	}
}

func TestAnUnlinkedFileServesWithoutMemfd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := scoreboard.CreateUnlinked(3 * 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != 3*4096 {
		t.Errorf("size %v, %v", info, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the file has a name: %v, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	_, file := create(f)
	good, size := head(f, file)
	f.Add(good, size)
	f.Add(good[:48], int64(48))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, content []byte, size int64) {
		if size < 0 || size > 16<<20 {
			return
		}
		b, err := openCopy(t, content, size)
		if err != nil {
			return
		}
		b.Snapshot()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}
