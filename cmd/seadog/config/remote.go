package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
)

var scpRE = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^-:][^:]*$`)

// remote checks the URL or path of a repository. git runs commands for some of
// what it accepts (ext::, options); this does not. Credentials of an https URL
// are secrets: they reach the redactor, and git through its environment only.
func (b *builder) remote(key, remote string) {
	const do = "write https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git, or an absolute path"
	switch {
	case strings.ContainsFunc(remote, func(r rune) bool { return r <= ' ' || r == 0x7f }),
		strings.HasPrefix(remote, "-"), strings.Contains(remote, "::"), len(remote) > 2048:
		b.fail(key, do, "not a repository")
		return
	case filepath.IsAbs(remote):
		return
	case !strings.Contains(remote, "://"):
		if !scpRE.MatchString(remote) {
			b.fail(key, do, "not a repository")
		}
		return
	}
	u, err := url.Parse(remote)
	if err != nil || !slices.Contains([]string{"https", "http", "ssh", "file"}, u.Scheme) || u.Fragment != "" ||
		(u.Host == "") != (u.Scheme == "file") || strings.HasPrefix(u.Hostname(), "-") || strings.HasPrefix(u.User.Username(), "-") {
		b.fail(key, do, "not a repository")
		return
	}
	password, has := u.User.Password()
	if has && u.Scheme == "ssh" {
		b.fail(key, "use a key, and name the user only", "holds a password, which ssh does not take")
		return
	}
	b.remember(deployer.NewSecret(password))
	if len(u.User.Username()) >= minSecret { // forges take a token in the place of the user as well
		b.remember(deployer.NewSecret(u.User.Username()))
	}
	if at := b.at[key]; password != "" && strings.Contains(b.lines[at.line-1], password) {
		b.literals = append(b.literals, key)
	}
}

// withoutUser is how a repository is printed.
func withoutUser(remote string) string {
	return userinfoRE.ReplaceAllString(remote, "://[redacted]@")
}
