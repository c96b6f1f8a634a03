package git_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRepairRemovesWhatAKilledGitLeaves(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	m := mirror(t, o.dir, plenty)
	if err := m.Repair(); err != nil {
		t.Errorf("before the first use: %v", err)
	}
	first := fetch(t, m, "refs/heads/main", "")
	kept := checkout(t, m, first, false)
	gone := checkout(t, m, first, false)
	if err := os.RemoveAll(gone); err != nil {
		t.Fatal(err)
	}
	checkout(t, m, first, false)
	leftovers := []string{
		"HEAD.lock", "config.lock", "shallow.lock", "packed-refs.lock", "index.lock", "gc.pid", "refs/seadog/heads/main.lock",
		"worktrees/17/index.lock", "worktrees/17/HEAD.lock", "worktrees/17/locked",
		"objects/pack/tmp_pack_a1B2c3", "objects/pack/tmp_idx_a1B2c3", "objects/info/commit-graphs/x.lock",
	}
	for _, name := range leftovers {
		path := filepath.Join(m.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	second := o.commit("second")
	if _, err := m.Fetch(t.Context(), "refs/heads/main", second, 0); err == nil {
		t.Fatal("the locks do no harm: nothing is tested here")
	}
	if err := m.Repair(); err != nil {
		t.Fatal(err)
	}
	for _, name := range leftovers {
		if exists(t, filepath.Join(m.Dir, name)) {
			t.Errorf("%s is still there", name)
		}
	}
	if list, _ := filepath.Glob(m.Dir + "/worktrees/*"); len(list) != 2 {
		t.Errorf("worktrees = %v", list)
	}
	fetch(t, m, "refs/heads/main", second)
	checkout(t, m, second, false)
	if err := m.Release(t.Context(), kept); err != nil {
		t.Error(err)
	}
}
