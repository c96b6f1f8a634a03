package compose_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/process"
)

// offline is a project that is only read: Compose needs no engine for that.
func offline(t *testing.T, files map[string]string) compose.Stack {
	t.Helper()
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs the Compose plugin of docker")
		}
		t.Skip("SKIPPED: this test needs the Compose plugin of docker")
	}
	r := &run{}
	return compose.Stack{
		Project: "p", Worktree: worktree(t, files), Exec: r.exec,
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOCKER_HOST=unix:///nowhere.sock"},
	}
}

func TestConfigShowsWhatCounts(t *testing.T) {
	t.Parallel()
	s := offline(t, map[string]string{
		"data/x": "",
		"compose.yaml": `
services:
  web:
    build: {context: ., additional_contexts: {base: "docker-image://base"}}
    restart: unless-stopped
    healthcheck: {test: [CMD, "true"]}
    deploy: {replicas: 3}
    environment: {A: "${UNSET}"}
    volumes: [ "./data:/data", "./cache:/cache", "/srv/x:/x", "named:/n" ]
  img: {image: "nginx:1", pull_policy: never, scale: 0, healthcheck: {disable: true}}
  hidden: {image: x, profiles: [debug]}
  remote: {build: "https://example.org/a.git#main"}
  cloud: {provider: {type: awesome}}
volumes: {named: {}}
`,
	})
	got, err := s.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(s.Worktree, name) }
	want := compose.Model{
		Services: []compose.Service{
			{Name: "cloud"},
			{Name: "img", Image: "nginx:1", PullPolicy: "never"},
			{Name: "remote", Image: "p-remote", Build: true, Replicas: 1},
			{Name: "web", Image: "p-web", Build: true, Replicas: 3, Restart: "unless-stopped", HealthCheck: true, Binds: []compose.Bind{
				{Source: in("data"), Target: "/data", Inside: true},
				{Source: in("cache"), Target: "/cache", Inside: true},
				{Source: "/srv/x", Target: "/x"},
			}},
		},
		Warnings: []string{
			`The "UNSET" variable is not set. Defaulting to a blank string.`,
			"service web mounts " + in("cache") + ", which is not in the repository: it is empty after every deployment, " +
				"because each has a worktree of its own; use a named volume or an absolute path",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x"), []byte("A=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ yaml, want string }{
		"a context above":           {`services: {web: {build: ..}}`, `build context of service "web" "`},
		"an absolute context":       {`services: {web: {build: OUT}}`, "leads out of the repository"},
		"a linked context":          {`services: {web: {build: ./link}}`, `cannot be used: a symbolic link leads out`},
		"a dockerfile above":        {`services: {web: {build: {context: ., dockerfile: ../Dockerfile}}}`, `dockerfile of service "web"`},
		"another context above":     {`services: {web: {build: {context: ., additional_contexts: {a: ../..}}}}`, `additional build context a of service "web"`},
		"an env_file elsewhere":     {`services: {web: {image: x, env_file: OUT/x}}`, `env_file of service "web"`},
		"an env_file that is not":   {`services: {web: {image: x, env_file: nope.env}}`, "is not in the repository"},
		"a secret elsewhere":        {"services: {web: {image: x, secrets: [s]}}\nsecrets: {s: {file: OUT/x}}", `file of secret "s"`},
		"a config through a link":   {"services: {web: {image: x, configs: [c]}}\nconfigs: {c: {file: ./link/x}}", `file of config "c"`},
		"a provider that is a path": {`services: {web: {provider: {type: ./evil.sh}}}`, `provider of service "web" is a path`},
		"what Compose refuses":      {`services: {web: {imagine: x}}`, "`docker compose config` ended with exit code"},
		"what is no YAML":           {"{", "`docker compose config` ended with exit code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := offline(t, map[string]string{"compose.yaml": strings.ReplaceAll(tt.yaml, "OUT", outside) + "\n"})
			if err := os.Symlink(outside, filepath.Join(s.Worktree, "link")); err != nil {
				t.Fatal(err)
			}
			_, err := s.Config(t.Context())
			if deployer.CodeOf(err) != deployer.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	s := offline(t, nil)
	got, err := s.Version(t.Context())
	if err != nil || got == "" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Compose's answer is made from a repository's files: whatever it holds, it
// is decoded or refused.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		`{"services":{"web":{"image":"x","build":{"context":"/w","dockerfile":"../D"},"deploy":{"replicas":2}}}}`,
		`{"services":{"a":{"provider":{"type":"x/y"}}},"secrets":{"s":{"file":"/etc/x"}}}`,
		`{"services":{"a":{"env_file":[{"path":"\u0000"}],"volumes":[{"type":"bind","source":"..","target":""}]}}}`,
		`time="2026-11-21T07:34:49Z" level=warning msg="The \"X\" variable"`,
		`[]`, ``, `{"services":null}`,
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), nil, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		s := compose.Stack{Project: "p", Worktree: dir, Exec: func(_ context.Context, c process.Command) (process.Exit, error) {
			c.Line(process.Stdout, []byte(answer))
			c.Line(process.Stderr, []byte(answer))
			return process.Exit{}, nil
		}}
		m, err := s.Config(t.Context())
		if err != nil {
			return
		}
		for _, svc := range m.Services {
			for _, b := range svc.Binds {
				if b.Inside && !strings.HasPrefix(b.Source, dir) && filepath.IsAbs(b.Source) {
					t.Errorf("bind %+v is said to be inside %s", b, dir)
				}
			}
		}
	})
}
