package deployer_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
)

func TestPushKnowsItsKind(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"refs/heads/feature/main": "branch feature/main", "refs/tags/v1": "tag v1", "acme/shop:1": "image",
		"refs/pull/1/head": "", "": "",
	} {
		p := deployer.Push{Ref: ref}
		got := ""
		if name, ok := p.Branch(); ok {
			got += "branch " + name
		}
		if name, ok := p.Tag(); ok {
			got += "tag " + name
		}
		if p.Image() {
			got += "image"
		}
		if got != want {
			t.Errorf("%q is %q, want %q", ref, got, want)
		}
	}
}

// refs are names to hold against git, and whether we want them; git may want more than we do.
var refs = map[string]bool{
	"refs/heads/main": true, "refs/heads/feature/main": true, "refs/tags/v1.2.3": true, "refs/heads/@": true, "refs/heads/a@b": true,
	"refs/heads/übung": true, "refs/heads/a.b": true, "refs/heads/a-b": true, "refs/heads/lock": true, "refs/heads/a.locked": true,
	"refs/heads/{x}": true, "refs/heads/a$b;c|d&e'f\"g`h": true, "refs/heads/\xff": true, "refs/heads/a.lock.b": true, "refs/heads/refs/heads/main": true,
	"refs/heads/-x": false, "refs/heads/a/-x": false, "refs/pull/1/head": false, "refs/notes/x": false, "refs/heads/": false, "refs/heads": false,
	"main": false, "": false, "/refs/heads/main": false, "refs/heads//main": false, "refs/heads/main/": false, "refs/heads/a//b": false,
	"refs/heads/.a": false, "refs/heads/a/.b": false, "refs/heads/a..b": false, "refs/heads/..": false, "refs/heads/a.": false,
	"refs/heads/a.lock": false, "refs/heads/a.lock/b": false, "refs/heads/.lock": false, "refs/heads/a b": false, "refs/heads/a\tb": false,
	"refs/heads/a\nb": false, "refs/heads/a\x01b": false, "refs/heads/a\x7fb": false, "refs/heads/a~b": false, "refs/heads/a^b": false,
	"refs/heads/a:b": false, "refs/heads/a?b": false, "refs/heads/a*b": false, "refs/heads/a[b": false, `refs/heads/a\b`: false, "refs/heads/a@{b": false,
	"--upload-pack=x": false, "refs/heads/--upload-pack=x": false, "Refs/heads/main": false, "refs/heads/\x00": false,
	"refs/heads/" + strings.Repeat("x", 501): true, "refs/heads/" + strings.Repeat("x", 502): false,
}

func TestValidRefIsWhatGitAcceptsAndSafe(t *testing.T) {
	t.Parallel()
	git := findGit(t)
	for ref, want := range refs {
		if got := deployer.ValidRef(ref); got != want {
			t.Errorf("%.60q: got %v, want %v", ref, got, want)
		}
		if want && !accepts(git, ref) {
			t.Errorf("%.60q: git does not accept it", ref)
		}
	}
}

// FuzzValidRef holds that git accepts whatever ValidRef accepts.
func FuzzValidRef(f *testing.F) {
	git := findGit(f)
	for ref := range refs {
		f.Add(ref)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		for _, ref := range []string{ref, "refs/heads/" + ref, "refs/tags/" + ref} {
			if !deployer.ValidRef(ref) {
				continue
			}
			if !strings.HasPrefix(ref, "refs/heads/") && !strings.HasPrefix(ref, "refs/tags/") || len(ref) > 512 {
				t.Errorf("%q is accepted", ref)
			}
			if !accepts(git, ref) {
				t.Errorf("%q is accepted, but not by git", ref)
			}
		}
	})
}

func findGit(tb testing.TB) string {
	tb.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("git is needed:", err)
		}
		tb.Skip("SKIPPED: git is needed:", err)
	}
	return git
}

// accepts asks git. A NUL cannot even be an argument.
func accepts(git, ref string) bool {
	return !strings.Contains(ref, "\x00") && exec.Command(git, "check-ref-format", ref).Run() == nil
}

func TestValidCommit(t *testing.T) {
	t.Parallel()
	for commit, want := range map[string]bool{
		strings.Repeat("a", 40): true, strings.Repeat("0", 39) + "1": true, strings.Repeat("9f", 32): true,
		strings.Repeat("0", 40): false, strings.Repeat("0", 64): false, strings.Repeat("a", 39): false, strings.Repeat("a", 41): false,
		strings.Repeat("a", 63): false, strings.Repeat("A", 40): false, strings.Repeat("g", 40): false, "": false, "HEAD": false,
		"-" + strings.Repeat("a", 39): false, strings.Repeat("a", 39) + "\n": false, strings.Repeat("a", 39) + "/": false, strings.Repeat("a", 39) + "`": false,
	} {
		if got := deployer.ValidCommit(commit); got != want {
			t.Errorf("%q: got %v, want %v", commit, got, want)
		}
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"shop": true, "0": true, "a_b-c": true, strings.Repeat("a", 63): true,
		"": false, "Shop": false, "-a": false, "_a": false, ".": false, "..": false, "a.b": false, "a/b": false, "a b": false, "a\n": false,
		"übung": false, strings.Repeat("a", 64): false, "a\x00": false,
	} {
		if got := deployer.ValidName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestShortMessage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for _, test := range []struct{ fact, message, want string }{
		{"nothing", "", ""},
		{"a short one", "Fix it\n\nBecause.\n", "Fix it\n\nBecause."},
		{"exactly as much as is kept", strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{"a long one", strings.Repeat("x", 201), strings.Repeat("x", 200)},
		{"a cut in a character", "x" + long, "x" + strings.Repeat("é", 99)},
		{"a marker behind the cut", long + "[Skip CI]", strings.Repeat("é", 93) + " … [skip ci]"},
		{"a marker that is kept anyway", "[skip cd] " + strings.Repeat("x", 300) + "[skip ci]", "[skip cd] " + strings.Repeat("x", 190)},
		{"a marker across the cut", strings.Repeat("x", 195) + "[skip ci]", strings.Repeat("x", 186) + " … [skip ci]"},
	} {
		got := deployer.ShortMessage(test.message)
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.fact, got, test.want)
		}
		if len(got) > 200 || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes: %q", test.fact, len(got), got)
		}
	}
}
