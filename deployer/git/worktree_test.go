package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
)

func TestWorktrees(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(o.dir, "outside")); err != nil {
		t.Fatal(err)
	}
	first := o.commit("with a link")
	second := o.commit("second")
	m := mirror(t, o.dir, plenty)
	fetch(t, m, "refs/heads/main", first)
	fetch(t, m, "refs/heads/main", second)
	a, b := checkout(t, m, first, false), checkout(t, m, second, false)

	t.Run("of two commits exist at once", func(t *testing.T) {
		if exists(t, a+"/second") || !exists(t, b+"/second") {
			t.Error("one has the files of the other")
		}
	})
	t.Run("leave symbolic links as they are", func(t *testing.T) {
		if to, err := os.Readlink(a + "/outside"); err != nil || to != "/etc/passwd" {
			t.Errorf("link to %q, %v", to, err)
		}
	})
	t.Run("are not made where something is", func(t *testing.T) {
		if err := m.Checkout(t.Context(), first, a, false); deployer.CodeOf(err) != deployer.CodeConflict {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("are not made in, around or instead of the mirror", func(t *testing.T) {
		for _, dir := range []string{m.Dir, m.Dir + "/x", filepath.Dir(m.Dir), "/", "relative", a + "/../x", ""} {
			if err := m.Checkout(t.Context(), first, dir, false); err == nil {
				t.Errorf("%q was made", dir)
			}
			if err := m.Release(t.Context(), dir); err == nil {
				t.Errorf("%q was deleted", dir)
			}
		}
	})
	t.Run("are released alone, also twice", func(t *testing.T) {
		for range 2 {
			if err := m.Release(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		if exists(t, a) || !exists(t, b+"/second") {
			t.Error("not the right one is gone")
		}
		if list, _ := filepath.Glob(m.Dir + "/worktrees/*"); len(list) != 1 {
			t.Errorf("the mirror knows %v", list)
		}
		if err := m.Checkout(t.Context(), first, a, false); err != nil {
			t.Errorf("made again: %v", err)
		}
	})
	t.Run("of a commit that was not fetched are an error", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "w")
		if err := m.Checkout(t.Context(), strings.Repeat("ab", 20), dir, false); err == nil {
			t.Error("no error")
		}
	})
}

func TestSubmodules(t *testing.T) {
	t.Parallel()
	library := newOrigin(t)
	library.commit("library")
	o, other := newOrigin(t), newOrigin(t)
	other.commit("elsewhere") // or it might be the same commit as the library's
	// Relative, as it would be on a forge.
	relative, err := filepath.Rel(o.dir, library.dir)
	if err != nil {
		t.Fatal(err)
	}
	o.git("submodule", "--quiet", "add", "--name", "lib", relative, "lib")
	first := o.commit("with a submodule")
	m := mirror(t, o.dir, plenty)
	fetch(t, m, "refs/heads/main", first)

	t.Run("are left out unless asked for", func(t *testing.T) {
		if dir := checkout(t, m, first, false); exists(t, dir+"/lib/library") {
			t.Error("the submodule is there")
		}
	})
	t.Run("are at the commit that the project names", func(t *testing.T) {
		library.commit("newer")
		dir := checkout(t, m, first, true)
		if !exists(t, dir+"/lib/library") || exists(t, dir+"/lib/newer") {
			t.Error("the submodule is not there, or not at its commit")
		}
		if err := m.Release(t.Context(), dir); err != nil || exists(t, dir) {
			t.Errorf("release: %v", err)
		}
	})
	t.Run("follow a URL that changes", func(t *testing.T) {
		o.git("submodule", "--quiet", "set-url", "lib", other.dir)
		o.git("-C", "lib", "fetch", "--quiet", other.dir, "main")
		o.git("-C", "lib", "checkout", "--quiet", "FETCH_HEAD")
		second := o.commit("another library")
		fetch(t, m, "refs/heads/main", second)
		if dir := checkout(t, m, second, true); !exists(t, dir+"/lib/elsewhere") || exists(t, dir+"/lib/library") {
			t.Error("the submodule is the old one")
		}
	})
	t.Run("on this machine's disk are refused to a remote elsewhere", func(t *testing.T) {
		m := m
		m.Remote = "http://127.0.0.1:1/x.git" // not asked: the commit is there
		dir := filepath.Join(t.TempDir(), "w")
		if err := m.Checkout(t.Context(), o.git("rev-parse", "HEAD"), dir, true); err == nil || !strings.Contains(err.Error(), "file") {
			t.Errorf("error = %v", err)
		}
		if exists(t, dir+"/lib/first") {
			t.Error("the submodule is there")
		}
	})
}
