package doctor

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// proxies warns of a proxy that would also be asked for this very machine:
// health probes and registries on localhost would go through it, and fail.
func proxies(_ context.Context, c Config) []Finding {
	var set []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		value := c.Getenv(name)
		if value == "" {
			name = strings.ToLower(name)
			value = c.Getenv(name)
		}
		if value != "" {
			set = append(set, name+"="+withoutPassword(value))
		}
	}
	if len(set) == 0 {
		return []Finding{{"proxies", OK, "none in the environment", ""}}
	}
	exempt := c.Getenv("NO_PROXY") + "," + c.Getenv("no_proxy")
	var missing []string
	for _, host := range []string{"localhost", "127.0.0.1"} {
		if !exempts(exempt, host) {
			missing = append(missing, host)
		}
	}
	what := strings.Join(set, " ")
	if len(missing) > 0 {
		return []Finding{{
			"proxies", Warn, fmt.Sprintf("%s also applies to %s", what, strings.Join(missing, " and ")),
			"export NO_PROXY=localhost,127.0.0.1,::1 as well; name the variables in git.env and docker.env where they need the proxy",
		}}
	}
	return []Finding{{"proxies", OK, what, ""}}
}

func exempts(list, host string) bool {
	for _, entry := range strings.Split(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "*" || strings.EqualFold(entry, host) || host == "127.0.0.1" && entry == "127.0.0.0/8" {
			return true
		}
	}
	return false
}

func withoutPassword(proxy string) string {
	u, err := url.Parse(proxy)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}
