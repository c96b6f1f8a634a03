package desk

import (
	"net/url"
	"strings"
)

// WithoutCredentials returns a clone URL that can be shown: no user with
// password, no query, no fragment. What cannot be taken apart is not shown.
func WithoutCredentials(remote string) string {
	if !strings.Contains(remote, "://") {
		return remote // a path, or host:path; neither has room for a password
	}
	u, err := url.Parse(remote)
	if err != nil {
		return "(hidden)"
	}
	if _, secret := u.User.Password(); secret || u.Scheme == "http" || u.Scheme == "https" {
		u.User = nil // over HTTP the user alone may be a token
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
	return u.String()
}
