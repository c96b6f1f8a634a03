package desk_test

import (
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer/desk"
)

func TestARepositoryIsShownWithoutCredentials(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"https://user:pw@example.org/a.git":       "https://example.org/a.git",
		"https://token@example.org/a.git":         "https://example.org/a.git",
		"https://example.org/a.git?private=pw#pw": "https://example.org/a.git",
		"ssh://git@example.org/a.git":             "ssh://git@example.org/a.git",
		"ssh://git:pw@example.org/a.git":          "ssh://example.org/a.git",
		"git@example.org:a.git":                   "git@example.org:a.git",
		"/srv/git/a.git":                          "/srv/git/a.git",
		"":                                        "",
		"https://user:p%zz@example.org/a.git":     "(hidden)",
		"https://user:p\x7fw@example.org/a.git":   "(hidden)",
	} {
		if got := desk.WithoutCredentials(remote); got != want {
			t.Errorf("%q: got %q, want %q", remote, got, want)
		}
	}
}

func FuzzShownRemote(f *testing.F) {
	f.Add("https://user:pw@example.org/a.git")
	f.Add("git@example.org:a.git")
	f.Add("://::")
	f.Fuzz(func(t *testing.T, remote string) {
		shown := desk.WithoutCredentials(remote)
		if strings.Contains(shown, "://") && strings.HasPrefix(shown, "http") && strings.Contains(strings.SplitN(shown, "/", 4)[2], "@") {
			t.Errorf("%q is shown as %q", remote, shown)
		}
	})
}
