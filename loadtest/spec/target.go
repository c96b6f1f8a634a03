package spec

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func (b *builder) target() {
	f := &b.f.Target
	t := &b.s.Target
	for i, host := range f.AllowHosts {
		if !isHost(host) {
			b.fail(item("target.allow_hosts", i), "write a name or an address alone, without a port", "%q is not a host", cut(host))
		} else if !loopback(host) && slices.Contains(b.o.Own, host) {
			t.AllowHosts = append(t.AllowHosts, host)
		}
	}
	t.BaseURL = b.baseURL()
	t.Metrics = b.endpoint("target.metrics", f.Metrics.endpoint)
	t.Pprof = b.endpoint("target.pprof", f.Pprof)
	ledger := b.endpoint("target.ledger", f.Ledger.endpoint)
	t.Ledger = loadtest.Ledger{URL: ledger.URL, Header: ledger.Header, Kind: f.Ledger.Kind, Counter: f.Ledger.Counter}
	switch kind := f.Ledger.Kind; {
	case b.given("target.ledger.kind") && kind != "seadog" && kind != "ids":
		b.fail("target.ledger.kind", `write seadog, or ids for an answer like {"ids": ["…"]}`, "%q is not a kind of ledger", cut(kind))
	case kind == "" && ledger.URL != "":
		t.Ledger.Kind = "seadog"
	}
	if f.Ledger.Counter != "" && !b.hasMetrics() {
		b.fail("target.ledger.counter", "write target.metrics.url", "is a metric of the service, and nobody asks it")
	}
	if b.given("target.process") && f.Process.PIDFile == "" && !b.managed() {
		b.fail("target.process.pid_file", "name the file that holds the number of the service's process", "missing")
	}
	t.PIDFile = b.path(f.Process.PIDFile)
	t.Every = b.every()
}

// every is how often metrics and process are sampled: together, so that their
// points stand side by side.
func (b *builder) every() time.Duration {
	metrics, process := "target.metrics.every", "target.process.every"
	m, p := b.f.Target.Metrics.Every, b.f.Target.Process.Every
	for key, d := range map[string]duration{metrics: m, process: p} {
		if b.given(key) {
			b.between(key, d, 100*time.Millisecond, time.Minute)
		}
	}
	switch {
	case b.given(metrics) && b.given(process) && m != p:
		b.fail(process, "write the same, or leave one out", "differs from target.metrics.every, and both are sampled together")
	case b.given(metrics):
		return time.Duration(m)
	case b.given(process):
		return time.Duration(p)
	}
	return time.Second
}

func (b *builder) baseURL() string {
	key, text := "target.base_url", b.f.Target.BaseURL
	switch {
	case b.o.BaseURL != "":
		text = b.o.BaseURL
	case text == "" && b.managed():
		return "" // whoever starts the service knows
	case text == "":
		b.fail(key, "write the address of the service, like http://127.0.0.1:8080", "missing")
		return ""
	}
	u := b.url(key, text)
	if u == nil {
		return ""
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		b.fail(key, "write http://host:port, and paths in the requests", "has more than an address")
	}
	return u.Scheme + "://" + u.Host
}

// url reads an absolute URL, nil if it is none or its host must not be loaded.
func (b *builder) url(key, text string) *url.URL {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()):
		do := "write one like http://127.0.0.1:8080"
		if strings.Contains(text, "${") {
			do += "; variables are replaced in secrets only"
		}
		b.fail(key, do, "not an HTTP URL")
	case u.User != nil:
		b.fail(key, "write it without; credentials go into headers", "holds a user")
	case !b.allowed(key, u.Hostname()):
	default:
		return u
	}
	return nil
}

// allowed keeps load away from what is not the user's own: a host beyond this
// machine must be named twice, in the file and on the command line.
func (b *builder) allowed(key, host string) bool {
	switch {
	case loopback(host):
		return true
	case !slices.Contains(b.f.Target.AllowHosts, host):
		b.fail(key, "load only what is yours: list it under target.allow_hosts, and run with --i-own-this-host "+host, "%s is not this machine", cut(host))
		return false
	case !slices.Contains(b.o.Own, host):
		b.fail(key, "if it is yours, run with --i-own-this-host "+host, "%s is not this machine", cut(host))
		return false
	}
	return true
}

// loopback reports whether host is this machine, whatever else is configured.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// isHost reports whether host is a name or an address.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host != "" && len(host) <= 253 && strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// endpoint reads an address that is asked beside the load. One that begins with
// a slash is on the target.
func (b *builder) endpoint(key string, f endpoint) loadtest.Endpoint {
	out := loadtest.Endpoint{URL: f.URL}
	if b.given(key) && f.URL == "" && !b.managed() && !b.given(key+".counter") {
		b.fail(key+".url", "write where it is, like http://127.0.0.1:8080/metrics, or /metrics on the target", "missing")
		return out
	}
	if rest := strings.ReplaceAll(f.URL, "{{run}}", ""); strings.Contains(rest, "{{") {
		b.fail(key+".url", "write {{run}} or no placeholder", "holds a placeholder that does not exist")
		return out
	}
	switch {
	case f.URL == "":
	case strings.HasPrefix(f.URL, "/"):
		b.isPath(key+".url", strings.ReplaceAll(f.URL, "{{run}}", "run"))
		out.URL = b.s.Target.BaseURL + f.URL
	default:
		b.url(key+".url", strings.ReplaceAll(f.URL, "{{run}}", "run"))
	}
	out.Header = b.headers(key+".headers", f.Headers)
	if token, ok := b.secret(key, "token", f.Token, f.TokenEnv, f.TokenFile); ok && token != "" {
		if out.Header == nil {
			out.Header = http.Header{}
		}
		if out.Header.Get("Authorization") != "" {
			b.fail(key+".headers", "keep one of the two", "Authorization is what a token becomes")
		}
		out.Header.Set("Authorization", "Bearer "+token)
	}
	return out
}
