package git_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	older := o.commit("second")
	newest := o.commit("third")
	m := mirror(t, o.dir, plenty)

	t.Run("of a branch is what it is now", func(t *testing.T) {
		if got := fetch(t, m, "refs/heads/main", ""); got != newest {
			t.Errorf("commit = %s, want %s", got, newest)
		}
		newest = o.commit("fourth")
		if got := fetch(t, m, "refs/heads/main", ""); got != newest {
			t.Errorf("after a push: commit = %s, want %s", got, newest)
		}
	})
	t.Run("of an exact older commit", func(t *testing.T) {
		if got := fetch(t, m, "refs/heads/main", older); got != older {
			t.Errorf("commit = %s, want %s", got, older)
		}
		subject, err := m.Subject(t.Context(), older)
		if err != nil || subject != "second" {
			t.Errorf("subject = %q, %v", subject, err)
		}
		dir := checkout(t, m, older, false)
		if !exists(t, dir+"/second") || exists(t, dir+"/third") {
			t.Error("the worktree is of another commit")
		}
	})
	t.Run("of a new branch", func(t *testing.T) {
		o.git("checkout", "--quiet", "-b", "feature/main")
		want := o.commit("feature")
		if got := fetch(t, m, "refs/heads/feature/main", want); got != want {
			t.Errorf("commit = %s, want %s", got, want)
		}
	})
	t.Run("of an annotated tag is the commit it names", func(t *testing.T) {
		want := o.git("rev-parse", "HEAD")
		o.git("tag", "--annotate", "--message", "release", "v1")
		object := o.git("rev-parse", "refs/tags/v1")
		if object == want {
			t.Fatal("not annotated")
		}
		for _, named := range []string{"", object, want} {
			if got := fetch(t, mirror(t, o.dir, plenty), "refs/tags/v1", named); got != want {
				t.Errorf("%q: commit = %s, want %s", named, got, want)
			}
		}
	})
	t.Run("is shallow, or as deep as asked for", func(t *testing.T) {
		for depth, want := range map[int]string{0: "1", 2: "2", -1: o.git("rev-list", "--count", "HEAD")} {
			m := mirror(t, o.dir, plenty)
			commit, err := m.Fetch(t.Context(), "refs/heads/feature/main", "", depth)
			if err != nil {
				t.Fatal(err)
			}
			if got := o.git("--git-dir="+m.Dir, "rev-list", "--count", commit); got != want {
				t.Errorf("depth %d: %s commits, want %s", depth, got, want)
			}
		}
	})
	t.Run("of what is there already needs no remote", func(t *testing.T) {
		m := m
		m.Remote = "/nowhere"
		if got := fetch(t, m, "refs/heads/main", older); got != older {
			t.Errorf("commit = %s", got)
		}
	})
}

func TestACommitThatIsGone(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	lost := o.commit("lost")
	o.git("reset", "--quiet", "--hard", "HEAD~1")
	kept := o.commit("kept")
	o.forget()
	m := mirror(t, o.dir, plenty)
	_, err := m.Fetch(t.Context(), "refs/heads/main", lost, 0)
	wantInvalid(t, err, "commit "+lost[:12]+" is no longer on refs/heads/main")
	if got := fetch(t, m, "refs/heads/main", kept); got != kept {
		t.Errorf("commit = %s", got)
	}
	t.Run("because its branch was forced elsewhere after it was fetched", func(t *testing.T) {
		o.git("reset", "--quiet", "--hard", "HEAD~1")
		next := o.commit("next")
		if got := fetch(t, m, "refs/heads/main", ""); got != next {
			t.Errorf("commit = %s, want %s", got, next)
		}
	})
	t.Run("because its branch was deleted", func(t *testing.T) {
		for _, commit := range []string{"", lost} {
			_, err := m.Fetch(t.Context(), "refs/heads/gone", commit, 0)
			wantInvalid(t, err, "refs/heads/gone is no longer in the repository")
		}
	})
	t.Run("and nothing else is known of it", func(t *testing.T) {
		_, err := m.Fetch(t.Context(), "", lost, 0)
		var exit *process.ExitError
		if !errors.As(err, &exit) || exit.Exit.Cause != deployer.CauseStepFailed || !strings.Contains(err.Error(), lost) {
			t.Errorf("error = %v", err)
		}
	})
}

// A server of protocol version 0 gives out nothing but its references.
func TestAServerThatRefusesACommitByName(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	var commits []string
	for i := range 70 {
		commits = append(commits, o.commit("file"+string(rune('A'+i))))
	}
	m := mirror(t, "file://"+o.dir, plenty)
	m.Env = append(m.Env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.version", "GIT_CONFIG_VALUE_0=0")
	if _, err := m.Fetch(t.Context(), "", commits[69], 0); err != nil {
		t.Fatalf("the tip is a reference, and given out: %v", err)
	}
	if _, err := m.Fetch(t.Context(), "", commits[60], 0); err == nil {
		t.Fatal("this server gives out everything: nothing is tested here")
	}
	for _, i := range []int{60, 3} {
		if got := fetch(t, m, "refs/heads/main", commits[i]); got != commits[i] {
			t.Errorf("commit = %s, want %s", got, commits[i])
		}
		checkout(t, m, commits[i], false)
	}
	o.git("reset", "--quiet", "--hard", "HEAD~1")
	_, err := mirror(t, "file://"+o.dir, plenty).Fetch(t.Context(), "refs/heads/main", strings.Repeat("ab", 20), 0)
	wantInvalid(t, err, "is no longer on")
}

func TestHostileNamesAreRefusedBeforeGitRuns(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	m := mirror(t, o.dir, plenty)
	trap := filepath.Join(t.TempDir(), "executed")
	commit := o.git("rev-parse", "HEAD")
	for _, ref := range []string{
		"--upload-pack=touch " + trap, "refs/heads/--upload-pack=touch " + trap, "refs/heads/-x", "main", "HEAD", "refs/heads/a:b",
		"refs/heads/../x", "refs/heads/a b", "refs/heads/a\nb", "refs/notes/x", "+refs/heads/main",
	} {
		if _, err := m.Fetch(t.Context(), ref, commit, 0); err == nil {
			t.Errorf("ref %q was accepted", ref)
		}
	}
	for _, c := range []string{"--upload-pack=touch " + trap, "HEAD", "main", commit[:12], strings.ToUpper(commit), strings.Repeat("0", 40), commit + "^{tree}"} {
		if _, err := m.Fetch(t.Context(), "refs/heads/main", c, 0); err == nil {
			t.Errorf("commit %q was accepted", c)
		}
		if err := m.Checkout(t.Context(), c, filepath.Join(t.TempDir(), "w"), false); err == nil {
			t.Errorf("commit %q was checked out", c)
		}
		if _, err := m.Subject(t.Context(), c); err == nil {
			t.Errorf("commit %q has a subject", c)
		}
	}
	for _, remote := range []string{"ext::touch " + trap, "--upload-pack=touch " + trap, "fd::7", "ssh://-oProxyCommand=touch " + trap + "/x", "../relative"} {
		m := m
		m.Remote = remote
		if _, err := m.Fetch(t.Context(), "refs/heads/main", "", 0); err == nil {
			t.Errorf("remote %q was accepted", remote)
		}
	}
	if exists(t, trap) {
		t.Error("something was executed")
	}
	if _, err := m.Fetch(t.Context(), "", "", 0); err == nil {
		t.Error("nothing was fetched, without an error")
	}
}

func TestARemoteThatNeverAnswersEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	newOrigin(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	m := mirror(t, "http://"+listener.Addr().String()+"/x.git", time.Second)
	begin := time.Now()
	_, err = m.Fetch(t.Context(), "refs/heads/main", "", 0)
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Exit.Cause != deployer.CauseDeadline {
		t.Errorf("error = %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestNoHookRuns(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	m := mirror(t, o.dir, plenty)
	home := strings.TrimPrefix(m.Env[1], "HOME=")
	trap := filepath.Join(t.TempDir(), "executed")
	hooks := filepath.Join(home, "templates", "hooks")
	if err := os.MkdirAll(hooks, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-merge", "pre-auto-gc", "fsmonitor"} {
		script := "#!/bin/sh\ntouch " + trap + "\n"
		if err := os.WriteFile(filepath.Join(hooks, hook), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := "[init]\n\ttemplateDir = " + home + "/templates\n[core]\n\thooksPath = " + hooks + "\n\tfsmonitor = " + hooks + "/fsmonitor\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	// The trap works, or the test would prove nothing.
	cmd := exec.Command("git", "clone", "--quiet", o.dir, filepath.Join(home, "clone"))
	cmd.Env = m.Env
	if out, err := cmd.CombinedOutput(); err != nil || !exists(t, trap) {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Remove(trap); err != nil {
		t.Fatal(err)
	}
	dir := checkout(t, m, fetch(t, m, "refs/heads/main", ""), false)
	if err := m.Release(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if exists(t, trap) {
		t.Error("a hook was executed")
	}
	if exists(t, filepath.Join(m.Dir, "hooks")) {
		t.Error("hooks were copied into the mirror")
	}
}
