package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var scpRE = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^-:][^:]*$`)

// checkRemote says what is wrong with the URL or path of a repository. git
// runs commands for some of what it accepts (ext::, options); this does not.
func checkRemote(remote string) *expandError {
	const do = "write https://host/owner/name.git, git@host:owner/name.git, or an absolute path"
	switch {
	case remote == "":
		return &expandError{"missing", do}
	case strings.ContainsFunc(remote, func(r rune) bool { return r <= ' ' || r == 0x7f }), strings.HasPrefix(remote, "-"), strings.Contains(remote, "::"):
		return &expandError{"not a repository", do}
	case filepath.IsAbs(remote):
		return nil
	case !strings.Contains(remote, "://"):
		if !scpRE.MatchString(remote) {
			return &expandError{"not a repository", do}
		}
		return nil
	}
	u, err := url.Parse(remote)
	if err != nil || !slices.Contains([]string{"https", "http", "ssh", "git", "file"}, u.Scheme) ||
		(u.Host == "") != (u.Scheme == "file") || strings.HasPrefix(u.Hostname(), "-") {
		return &expandError{"not a repository", do}
	}
	// Forges take a token in the place of the user name as well.
	if _, password := u.User.Password(); password || len(u.User.Username()) >= minSecret {
		return &expandError{
			"holds a password, which every user of this machine could read in the list of processes",
			"use a deploy key, or a credential helper in the Git configuration of the user that runs seadog",
		}
	}
	return nil
}
