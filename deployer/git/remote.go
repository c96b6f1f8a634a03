package git

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// scpRE is the short form of ssh: [user@]host:path. The path does not begin
// like an option, and nothing has the "::" of a remote helper.
var scpRE = regexp.MustCompile(`^(?:[A-Za-z0-9_][A-Za-z0-9._+-]*@)?[A-Za-z0-9_][A-Za-z0-9._-]*:[^-:\s][^\s]*$`)

// ValidRemote returns nil if git can be given s as a repository: an https,
// http, ssh or file URL, user@host:path, or an absolute path. The error is an
// [deployer.Error] with CodeInvalid that does not repeat s, which may contain a password.
func ValidRemote(s string) error {
	if s == "" {
		return wrong("the repository has no URL")
	}
	if len(s) > 2048 || s[0] == '-' || hasControl(s) {
		return wrong("the repository URL begins with '-', has control characters, or is longer than 2048 bytes")
	}
	if filepath.IsAbs(s) {
		return nil
	}
	if !strings.Contains(s, "://") {
		if scpRE.MatchString(s) {
			return nil
		}
		return wrong("the repository is neither a URL, nor user@host:path, nor an absolute path")
	}
	u, err := url.Parse(s)
	if err != nil {
		return wrong("the repository URL cannot be read")
	}
	return validURL(u)
}

func validURL(u *url.URL) error {
	password, hasPassword := u.User.Password()
	user := u.User.Username()
	switch {
	case hasControl(u.Path) || hasControl(user) || hasControl(password) || hasControl(u.Host):
		return wrong("the repository URL contains escaped control characters")
	case strings.HasPrefix(u.Hostname(), "-") || strings.HasPrefix(user, "-"):
		return wrong("host or user of the repository URL begins with '-'")
	case u.Fragment != "" || u.Opaque != "":
		return wrong("the repository URL has a fragment, or no path")
	}
	switch u.Scheme {
	case "file":
		if (u.Host != "" && u.Host != "localhost") || u.User != nil {
			return wrong("a file URL has no host and no user")
		}
	case "http", "https":
		if u.Hostname() == "" {
			return wrong("the repository URL has no host")
		}
	case "ssh":
		if u.Hostname() == "" {
			return wrong("the repository URL has no host")
		}
		if hasPassword {
			return wrong("ssh takes no password from a URL").WithHint("use a key, and name the user only")
		}
	default:
		return wrong("the repository URL is neither https, http, ssh nor file")
	}
	return nil
}

func wrong(message string) *deployer.Error {
	return deployer.Errorf(deployer.CodeInvalid, "%s", message).WithHint("for example https://host/owner/name.git or git@host:owner/name.git")
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// local reports whether the remote is on this machine's file system.
func (m Mirror) local() bool {
	return filepath.IsAbs(m.Remote) || strings.HasPrefix(m.Remote, "file://")
}

// web returns the remote as a URL if it is http or https, else nil.
func (m Mirror) web() *url.URL {
	u, err := url.Parse(m.Remote)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return nil
	}
	return u
}

// url is the remote as it may be seen by everyone: without user and password.
func (m Mirror) url() string {
	u := m.web()
	if u == nil || u.User == nil {
		return m.Remote
	}
	u.User = nil
	return u.String()
}

const (
	userVariable     = "SEADOG_GIT_USERNAME"
	passwordVariable = "SEADOG_GIT_PASSWORD"
)

// credentials returns the configuration of a credential helper for the host of
// the remote, and the environment it reads. The empty entry before it takes
// the user's own helpers away, for this host: one that stores what worked would write
// the password to a file.
func (m Mirror) credentials() (settings [][2]string, env []string) {
	u := m.web()
	if u == nil || u.User == nil {
		return nil, nil
	}
	password, _ := u.User.Password()
	key := "credential." + u.Scheme + "://" + u.Host + ".helper"
	helper := `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$` + userVariable + `" "$` + passwordVariable + `"; }; f`
	return [][2]string{{key, ""}, {key, helper}},
		[]string{userVariable + "=" + u.User.Username(), passwordVariable + "=" + password}
}
