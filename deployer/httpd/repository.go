package httpd

import (
	"net/url"
	"path"
	"strings"
)

// sameRepository reports whether a delivery about the repository that its
// sender calls pushed ("acme/web") concerns a project whose clone URL is
// configured. It only says no if both are known to name different ones:
//
//	git@github.com:acme/web.git          acme/web      yes
//	https://git.example.org/scm/ops/web  OPS/web       yes
//	https://github.com/acme/web          acme/webshop  no
//	/srv/git/web.git                     acme/web      yes: a path has no such name
//
// Host names are not compared: a forge does not know under which name, proxy
// or ssh alias it is cloned from, and the hook's secret has said who it is.
func sameRepository(configured, pushed string) bool {
	a, b := fullName(configured), strings.ToLower(strings.Trim(pushed, "/"))
	b = strings.TrimSuffix(b, ".git")
	if a == "" || b == "" {
		return true
	}
	return hasTail(a, b) || hasTail(b, a)
}

// hasTail reports whether the last segments of name are those of tail.
func hasTail(name, tail string) bool {
	return name == tail || strings.HasSuffix(name, "/"+tail)
}

// fullName returns the path of a clone URL without ".git", in lower case, or
// "" for what is not on a host.
func fullName(remote string) string {
	name := ""
	if u, err := url.Parse(remote); err == nil && u.Scheme != "" && u.Host != "" && u.Scheme != "file" {
		name = u.Path
	} else if host, rest, ok := strings.Cut(remote, ":"); ok && !strings.Contains(host, "/") && !strings.HasPrefix(rest, "//") {
		name = rest // host:path, as scp writes it
	}
	name = strings.ToLower(strings.Trim(path.Clean("/"+name), "/"))
	return strings.TrimSuffix(name, ".git")
}
