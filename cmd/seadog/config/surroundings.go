package config

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
)

// listeners checks everything that is accepted on, and who may speak for others there.
func (b *builder) listeners() {
	if len(b.f.Listen) == 0 {
		b.fail("listen", "write an address like 127.0.0.1:8787", "no address, so no webhook could arrive")
	}
	var keys []string
	for i, text := range b.f.Listen {
		key := "listen[" + strconv.Itoa(i) + "]"
		if l, ok := b.listener(key, text); ok {
			b.cfg.Listen = append(b.cfg.Listen, l)
			keys = append(keys, key)
		}
	}
	b.cfg.Admin, _ = b.listener("admin.listen", b.f.Admin.Listen)
	b.distinct(keys)
	b.tls()
	b.exposure(keys)
	b.proxies()
}

func (b *builder) proxies() {
	for i, text := range b.f.TrustedProxies {
		key := "trusted_proxies[" + strconv.Itoa(i) + "]"
		prefix, ok := parsePrefix(text)
		switch {
		case !ok:
			b.fail(key, "write an address or a network like 10.0.0.0/8", "%q is not a network", text)
		case prefix.Bits() == 0:
			b.fail(key, "name the proxy's own address", "trusts everybody, so any client could forge its address")
		default:
			b.cfg.TrustedProxies = append(b.cfg.TrustedProxies, prefix)
		}
	}
}

func parsePrefix(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil
}

func (b *builder) listener(key, text string) (Listener, bool) {
	const do = "write host:port, unix:/path/to/socket or systemd:name"
	if name, ok := strings.CutPrefix(text, "systemd:"); ok {
		if name == "" || strings.ContainsAny(name, ": \t\n/") {
			b.fail(key, "write what FileDescriptorName= in the socket unit says", "%q is not the name of a systemd socket", name)
			return Listener{}, false
		}
		return Listener{"systemd", name}, true
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		path = b.path(path)
		if path == "" || len(path) > 107 || strings.ContainsRune(path, 0) {
			b.fail(key, "write a path of at most 107 bytes", "not the path of a Unix socket")
			return Listener{}, false
		}
		return Listener{"unix", filepath.Clean(path)}, true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, " \t\n/@") {
		b.fail(key, do, "%q is not an address", text)
		return Listener{}, false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		b.fail(key, "write a number from 0 to 65535; 0 takes a free one", "%q is not a port", port)
		return Listener{}, false
	}
	return Listener{"tcp", text}, true
}

// distinct refuses two listeners that could not be opened together. keys are
// those of cfg.Listen.
func (b *builder) distinct(keys []string) {
	for i, l := range b.cfg.Listen {
		for _, earlier := range b.cfg.Listen[:i] {
			if clash(earlier, l) {
				b.fail(keys[i], "give every listener an address of its own", "%s and %s are the same address", earlier, l)
			}
		}
		if !clash(l, b.cfg.Admin) {
			continue
		}
		key := keys[i]
		if b.given("admin.listen") {
			key = "admin.listen"
		}
		b.fail(key, "give every listener an address of its own", "%s is the address of both listen and admin.listen", b.cfg.Admin)
	}
}

func clash(a, b Listener) bool {
	if a.Network != b.Network || a.Network == "" {
		return false
	}
	if a.Network != "tcp" {
		return a.Address == b.Address
	}
	hostA, portA, _ := net.SplitHostPort(a.Address)
	hostB, portB, _ := net.SplitHostPort(b.Address)
	return portA == portB && portA != "0" && (hostA == hostB || wildcard(hostA) || wildcard(hostB))
}

func wildcard(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

func (b *builder) tls() {
	t := &b.f.TLS
	t.Cert, t.Key = b.path(t.Cert), b.path(t.Key)
	switch {
	case t.Cert == "" && t.Key == "":
		return
	case t.Cert == "":
		b.fail("tls.cert", "name the PEM file of the certificate and its chain", "missing beside tls.key")
		return
	case t.Key == "":
		b.fail("tls.key", "name the PEM file of the certificate's key", "missing beside tls.cert")
		return
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		b.fail("tls.cert", "name a PEM certificate and the key that belongs to it", "cannot be used: %s", err)
	}
	b.cfg.TLS = TLS(*t)
}

// exposure warns of what works but can be listened to, or used, by strangers.
func (b *builder) exposure(keys []string) {
	for i, l := range b.cfg.Listen {
		if l.Network == "tcp" && !loopback(l.Address) && b.cfg.TLS.Cert == "" {
			b.warn(keys[i], "set tls, or listen on loopback behind a proxy that has it",
				"API tokens cross the network in the clear on %s", l)
		}
	}
	if l := b.cfg.Admin; l.Network == "tcp" && !loopback(l.Address) {
		b.warn("admin.listen", "listen on loopback, or let a firewall guard it", "metrics on %s are readable without a token", l)
	}
}

func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// machine checks what belongs to this machine as a whole.
func (b *builder) machine() {
	f := b.f
	if f.Data == "" {
		b.fail("data", "name a directory, like /var/lib/seadog", "is empty")
	}
	f.Data = b.path(f.Data)
	if f.Node == "" || len(f.Node) > 253 || strings.ContainsFunc(f.Node, func(r rune) bool { return r <= ' ' || r > '~' }) {
		b.fail("node", "write a host name", "%q cannot name a machine", f.Node)
	}
	b.between("workers.http", f.Workers.HTTP, 1, 20)
	b.between("workers.runners", f.Workers.Runners, 1, 64)
	b.between("retention.deployments", f.Retention.Deployments, 0, 1_000_000)
	c := b.cfg
	c.Data, c.Node, c.HTTPWorkers, c.Runners, c.Web = f.Data, f.Node, f.Workers.HTTP, f.Workers.Runners, f.Web
	c.StopGrace = f.StopGrace
	c.Retention = deployer.Retention{Deliveries: f.Retention.Deliveries, Deployments: f.Retention.Deployments}
	c.LogRetention = f.Retention.Logs
}

// watch checks when requests and workers are given up.
func (b *builder) watch() {
	w := b.f.Watchdog
	r := w.Recycle
	for _, t := range []struct {
		key              string
		value, low, high time.Duration
	}{
		{"watchdog.harakiri", w.Harakiri, time.Second, time.Hour},
		{"watchdog.mercy", w.Mercy, 100 * time.Millisecond, time.Hour},
	} {
		if t.value < t.low || t.value > t.high {
			b.fail(t.key, "write a duration like 30s", "%s is not between %s and %s", t.value, t.low, t.high)
		}
	}
	b.between("watchdog.recycle.requests", r.Requests, 0, 1_000_000_000)
	b.between("watchdog.recycle.goroutines", r.Goroutines, 0, 1_000_000)
	b.between("watchdog.recycle.descriptors", r.Descriptors, 0, 1_000_000)
	if r.Memory > 0 && r.Memory < 64*mib {
		b.fail("watchdog.recycle.memory", "write 1GiB, or 0 for no limit", "%s is less than a worker needs", r.Memory)
	}
	if r.MemoryHard > 0 && r.MemoryHard <= r.Memory {
		b.fail("watchdog.recycle.memory_hard", "make it larger than watchdog.recycle.memory, or 0 for no limit", "%s is not larger than watchdog.recycle.memory (%s)", r.MemoryHard, r.Memory)
	}
	b.cfg.Watchdog = Watchdog{Spare: w.Spare, Policy: watchdog.Policy{
		Harakiri: w.Harakiri, Mercy: w.Mercy,
		Recycle: watchdog.Recycle{
			Requests: uint64(r.Requests), Lifetime: r.Lifetime,
			Memory: int64(r.Memory), MemoryHard: int64(r.MemoryHard),
			Goroutines: r.Goroutines, Descriptors: r.Descriptors,
		},
	}}
}

func (b *builder) log() {
	l := b.f.Log
	b.cfg.Log.Format = l.Format
	if formats := []string{"auto", "text", "json"}; !slices.Contains(formats, l.Format) {
		b.fail("log.format", "write auto, text or json", "%q is not a format", l.Format)
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[l.Level]
	if !ok {
		b.fail("log.level", "write debug, info, warn or error", "%q is not a level", l.Level)
	}
	b.cfg.Log.Level = level
}

func (b *builder) limits() {
	l := b.f.Limits
	if l.Body < 64*kib || l.Body > 256*mib {
		b.fail("limits.body", "write 26MiB: GitHub and GitLab send up to 25 MB", "%s is not between 64KiB and 256MiB", l.Body)
	}
	if l.BodyBudget < l.Body {
		b.fail("limits.body_budget", "make it several times limits.body", "%s is smaller than limits.body (%s), so the largest webhook could never be read", l.BodyBudget, l.Body)
	}
	if l.StepLog < 64*kib {
		b.fail("limits.step_log", "write 16MiB", "%s is smaller than 64KiB", l.StepLog)
	}
	for _, t := range []struct {
		key   string
		value time.Duration
	}{
		{"limits.header_timeout", l.HeaderTimeout},
		{"limits.body_timeout", l.BodyTimeout},
		{"limits.idle_timeout", l.IdleTimeout},
	} {
		if t.value < 100*time.Millisecond || t.value > time.Hour {
			b.fail(t.key, "write a duration like 30s", "%s is not between 100ms and 1h", t.value)
		}
	}
	b.between("limits.connections", l.Connections, 16, 8192)
	b.between("limits.query_budget", l.QueryBudget, 1, 10_000)
	b.cfg.Limits = Limits{
		Body: int64(l.Body), BodyBudget: int64(l.BodyBudget), StepLog: int64(l.StepLog),
		HeaderTimeout: l.HeaderTimeout, BodyTimeout: l.BodyTimeout, IdleTimeout: l.IdleTimeout,
		Connections: l.Connections, QueryBudget: l.QueryBudget,
	}
}

// record checks what is kept of webhooks. Space for fewer would be gone before
// anybody has looked at it.
func (b *builder) record() {
	r := &b.f.Record
	r.Dir = b.path(r.Dir)
	b.between("record.deliveries", r.Deliveries, 100, 10_000_000)
	if r.Bytes < mib {
		b.fail("record.bytes", "write 256MiB", "%s is smaller than 1MiB", r.Bytes)
	}
	b.cfg.Record = Record{Dir: r.Dir, Deliveries: r.Deliveries, Bytes: int64(r.Bytes)}
}

// tools checks what git and docker get to know.
func (b *builder) tools() {
	b.variables("git.env", b.f.Git.Env)
	b.variables("docker.env", b.f.Docker.Env)
	d := &b.f.Docker
	if d.Host != "" {
		u, err := url.Parse(d.Host)
		if err != nil || !slices.Contains([]string{"unix", "tcp", "ssh", "http", "https"}, u.Scheme) {
			b.fail("docker.host", "write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host", "%q is not the address of an engine", d.Host)
		}
	}
	if d.Timeout < time.Second || d.Timeout > 5*time.Minute {
		b.fail("docker.timeout", "write a duration like 10s", "%s is not between 1s and 5m", d.Timeout)
	}
	d.Config = b.path(d.Config)
	b.cfg.Git, b.cfg.Docker = Git(b.f.Git), Docker(*d)
}

func (b *builder) variables(key string, names []string) {
	for i, name := range names {
		if item := key + "[" + strconv.Itoa(i) + "]"; !variableRE.MatchString(name) {
			b.fail(item, "write a name like SSH_AUTH_SOCK; its value comes from the service's own environment", "%q is not the name of an environment variable", name)
		}
	}
}
