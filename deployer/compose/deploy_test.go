package compose_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/health"
)

// three is a project of a web server, a database that has nothing to do with it, and a migration.
const three = `
services:
  web:
    build: web
    network_mode: none
    restart: unless-stopped
    stop_grace_period: 1s
    healthcheck: {test: [CMD, /server, health], interval: 100ms, retries: 3}
  db:
    build: db
    network_mode: none
    restart: always
    deploy: {replicas: 2}
  migrate:
    build: db
    network_mode: none
    environment: {EXIT_AFTER: 0s}
`

func TestDeployAndRollBack(t *testing.T) {
	b := newBench(t)
	first := b.stack(map[string]string{"compose.yaml": three + "  old: {build: db, network_mode: none}\n", "web/": "one", "db/": "db"}, deployer.Compose{})
	m := b.deploy(first)
	if v := b.gate(m); v.Outcome != health.Passed {
		t.Fatalf("first deployment: %s", v.Reason())
	}
	was := b.services()
	if diff := cmp.Diff([]string{"db", "db-2", "migrate", "old", "web"}, slices.Sorted(maps.Keys(was))); diff != "" {
		t.Fatalf("services (-want +got):\n%s", diff)
	}
	kept, err := b.client.Keep(t.Context(), b.project, 1, slices.Collect(maps.Values(was)))
	if err != nil {
		t.Fatal(err)
	}

	second := b.stack(map[string]string{"compose.yaml": three, "web/": "two", "db/": "db"}, deployer.Compose{})
	m = b.deploy(second)
	if v := b.gate(m); v.Outcome != health.Passed {
		t.Fatalf("second deployment: %s", v.Reason())
	}
	is := b.services()
	t.Run("a push replaces what it changed and nothing else", func(t *testing.T) {
		if is["web"].ID == was["web"].ID || is["web"].Image == was["web"].Image {
			t.Error("web was not replaced")
		}
		for _, name := range []string{"db", "db-2"} {
			if is[name].ID != was[name].ID || !is[name].Started.Equal(was[name].Started) {
				t.Errorf("%s was touched", name)
			}
		}
	})
	t.Run("a service that is gone from the file is removed", func(t *testing.T) {
		if _, ok := is["old"]; ok {
			t.Error("it is still there")
		}
	})
	t.Run("a rollback runs the kept image of what moved and touches nothing else", func(t *testing.T) {
		m, err := first.Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		moved, err := m.Moved(t.Context(), kept, b.client.Resolve)
		if err != nil {
			t.Fatal(err)
		}
		if len(moved) != 1 || moved[0].Service != "web" {
			t.Fatalf("moved: %+v", moved)
		}
		override, err := compose.Pinned(t.TempDir(), moved)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Up(t.Context(), override); err != nil {
			t.Fatal(err)
		}
		if v := b.gate(m); v.Outcome != health.Passed {
			t.Fatalf("rollback: %s", v.Reason())
		}
		now := b.services()
		if now["web"].Image != was["web"].Image {
			t.Errorf("web runs image %s, want %s", now["web"].Image, was["web"].Image)
		}
		if now["db"].ID != was["db"].ID || now["db-2"].ID != was["db-2"].ID {
			t.Error("db was touched")
		}
		if _, ok := now["old"]; !ok {
			t.Error("the service that the second deployment removed is not back")
		}
	})
}

func TestUnhealthyServices(t *testing.T) {
	b := newBench(t)
	m := b.deploy(b.stack(map[string]string{"compose.yml": `
services:
  sick:
    build: .
    network_mode: none
    environment: {UNHEALTHY_AFTER: 0s}
    healthcheck: {test: [CMD, /server, health], interval: 100ms, retries: 2}
  looping: {build: ., network_mode: none, restart: always, environment: {EXIT_AFTER: 0s, EXIT_CODE: "4"}}
  broken: {build: ., network_mode: none, environment: {EXIT_AFTER: 0s, EXIT_CODE: "3"}}
  fine: {build: ., network_mode: none}
`, "./": "x"}, deployer.Compose{}))
	want := map[string]string{
		"broken": "broken: exited with code 3", "looping": "looping: crash-looping: restarted", "sick": "sick: unhealthy: feeling sick",
	}
	for name, reason := range want {
		t.Run(name+" is found", func(t *testing.T) {
			v := b.gate(compose.Model{Services: []compose.Service{{Name: name, Replicas: 1}}})
			if v.Outcome != health.Failed || !strings.HasPrefix(v.Reason(), reason) {
				t.Errorf("got %s: %s, want %s…", v.Outcome, v.Reason(), reason)
			}
		})
	}
	t.Run("one of them is enough", func(t *testing.T) {
		if v := b.gate(m); v.Outcome != health.Failed {
			t.Errorf("got %s", v.Outcome)
		}
	})
}

func TestProfilesFilesEnvironmentAndBuildArguments(t *testing.T) {
	const secret = "s3cr3t-sentinel"
	b := newBench(t)
	s := b.stack(map[string]string{
		"deploy/base.yaml": `
services:
  web:
    build: {context: ../src, args: {NOTE: from-file}}
    network_mode: none
    environment: {PRINT: "${LINES:-0}"}
  debug: {build: ../src, network_mode: none, profiles: [debug]}
  off: {build: ../src, network_mode: none, profiles: [never]}
  none: {build: ../src, network_mode: none, scale: 0}
`,
		"deploy/prod.yaml": "services: {web: {restart: always, env_file: [web.env]}}\n",
		"deploy/web.env":   "FROM_FILE=yes\n",
		"deploy/one.env":   "LINES=2\n",
		"src/":             "x",
	}, deployer.Compose{
		Directory: "deploy", Files: []string{"base.yaml", "prod.yaml"}, Profiles: []string{"debug"},
		EnvFiles: []string{"one.env"}, BuildArgs: map[string]string{"NOTE": secret},
	})
	s.Env = append(s.Env, "NOTE="+secret)
	m := b.deploy(s)

	var names []string
	for _, svc := range m.Services {
		names = append(names, svc.Name)
	}
	if diff := cmp.Diff([]string{"debug", "none", "web"}, names); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if v := b.gate(m); v.Outcome != health.Passed {
		t.Fatalf("gate: %s", v.Reason())
	}
	web := b.services()["web"]
	if web.Restart != "always" {
		t.Errorf("restart policy is %q: the second file was not used", web.Restart)
	}
	logs, err := b.client.Logs(t.Context(), web.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"version x note " + secret, "line 1", "line 2"}, logs); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	for _, c := range b.run.commands {
		if strings.Contains(strings.Join(c.Args, " "), secret) {
			t.Errorf("a secret is in the arguments %q", c.Args)
		}
	}
}

// A repository's .env must not decide what the commands mean.
func TestDotEnvDoesNotDriveCompose(t *testing.T) {
	b := newBench(t)
	s := b.stack(map[string]string{
		"compose.yaml": "services: {web: {build: ., network_mode: none}}\n", "./": "x",
		".env": "COMPOSE_FILE=/etc/passwd\nCOMPOSE_PROJECT_NAME=other\nCOMPOSE_IGNORE_ORPHANS=true\nCOMPOSE_ENV_FILES=/none\nCOMPOSE_PROGRESS=json\n",
	}, deployer.Compose{})
	s.Env = append(s.Env, "COMPOSE_FILE=/etc/group")
	b.deploy(s)
	if _, ok := b.services()["web"]; !ok {
		t.Error("the project's service is not there")
	}
}

func TestAFailureNamesTheCommandAndItsLastWords(t *testing.T) {
	b := newBench(t)
	s := b.stack(map[string]string{
		"compose.yaml": "services: {web: {build: ., network_mode: none}}\n", "Dockerfile": "FROM scratch\nCOPY missing /\n",
	}, deployer.Compose{})
	m, err := s.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Build(t.Context(), m)
	var said *compose.Failure
	if !errors.As(err, &said) || said.Exit.Cause != deployer.CauseStepFailed {
		t.Fatalf("build: got %v", err)
	}
	if got := err.Error(); !strings.HasPrefix(got, "`docker compose build` ended with exit code 1: ") || !strings.Contains(got, "missing") {
		t.Errorf("build: got %q", got)
	}
	err = s.Up(t.Context())
	if !errors.As(err, &said) {
		t.Fatalf("up without an image: got %v", err)
	}
	t.Log(err)
}
