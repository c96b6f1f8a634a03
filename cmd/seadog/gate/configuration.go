package gate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// engineSocket is where the engine listens that projects are deployed to.
const engineSocket = "/var/run/docker.sock"

// configuration writes the service's seadog.yml.
func (s *service) configuration(ctx context.Context, ports []int) (string, error) {
	store, err := s.storeSection(ctx)
	if err != nil {
		return "", err
	}
	git, err := s.through("git", s.forge.address)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "listen: [\"127.0.0.1:%d\"]\nadmin: {listen: \"127.0.0.1:%d\"}\ndata: %q\n", ports[0], ports[1], filepath.Join(s.dir, "data"))
	fmt.Fprintf(&b, "workers: {http: %d, runners: %d}\n", s.workers, s.runners)
	fmt.Fprintf(&b, "api: {tokens: [{name: gate, scope: admin, token: %q}]}\n", s.token)
	b.WriteString(store)
	if s.wants("engine") {
		engine, err := s.through("engine", engineSocket)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "docker: {host: \"tcp://%s\", timeout: 3s}\n", engine)
	}
	b.WriteString(s.config)
	fmt.Fprintf(&b, "\nretention: {deployments: 0}\ndefaults:\n  steps: {grace: 2s, %s}\n  health: {stable: 500ms}\nprojects:\n", s.steps)
	for _, p := range s.projects {
		fmt.Fprintf(&b, "  %s:\n    repository: %q\n    webhook: {provider: github, secret: %q}\n", p, remote(git, p), s.secret)
	}
	return b.String(), nil
}

func (s *service) storeSection(ctx context.Context) (string, error) {
	driver := s.store
	if driver == "" {
		driver = s.gate.Store
	}
	if driver != "postgres" {
		return "", nil
	}
	cluster, err := s.gate.postgres(ctx)
	if err != nil {
		return "", err
	}
	database, err := cluster.Database(ctx)
	if err != nil {
		return "", err
	}
	dsn := cluster.DSN(database)
	if s.wants("postgres") {
		at, err := s.through("postgres", cluster.Socket())
		if err != nil {
			return "", err
		}
		dsn = cluster.Through(at, database)
	}
	return fmt.Sprintf("store: {driver: postgres, dsn: %q}\n", dsn), nil
}

func (s *service) wants(proxy string) bool { return slices.Contains(s.wanted.proxies, proxy) }

// through returns the address of a proxy before upstream, or upstream itself if
// the scenario wants none.
func (s *service) through(name, upstream string) (string, error) {
	if !s.wants(name) {
		return upstream, nil
	}
	return s.proxies.Listen(name, upstream)
}
