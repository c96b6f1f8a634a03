package config_test

import (
	"crypto/sha256"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer"
)

const (
	tokens = "api: {tokens: [{name: ops, scope: admin, token: 0123456789abcdef}]}\n"
	web    = "projects:\n  web:\n    repository: /srv/web.git\n    webhook: {provider: github, secret: fedcba9876543210}\n"
)

func TestAMinimalFileGetsEveryDefault(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+web)
	want := config.Limits{
		Body: 26 << 20, BodyBudget: 256 << 20, StepLog: 16 << 20,
		HeaderTimeout: 10 * time.Second, BodyTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		Connections: 8192, QueryBudget: 20,
	}
	if diff := cmp.Diff(want, c.Limits); diff != "" {
		t.Errorf("limits: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]config.Listener{{Network: "tcp", Address: "127.0.0.1:8787"}}, c.Listen); diff != "" {
		t.Errorf("listen: -want +got\n%s", diff)
	}
	if c.Store.Path != "/var/lib/seadog/seadog.db" || c.Store.Driver != config.SQLite {
		t.Errorf("store = %+v", c.Store)
	}
	p, _ := c.Project("web")
	if diff := cmp.Diff(deployer.DefaultTimeouts(), p.Steps); diff != "" {
		t.Errorf("steps: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(deployer.Selector{Branches: []string{"main", "master"}}, p.Select); diff != "" {
		t.Errorf("selector: -want +got\n%s", diff)
	}
	if p.Hook != "web" || p.Compose.Project != "web" || p.Rollback != deployer.RollbackAuto || p.Keep != 3 {
		t.Errorf("project = %+v", p)
	}
	h, _ := c.Hook("web")
	if h.Provider != deployer.GitHub || len(h.Secrets) != 1 || !h.Secrets[0].Equal("fedcba9876543210") {
		t.Errorf("hook = %+v", h)
	}
	if want := sha256.Sum256([]byte("0123456789abcdef")); c.Tokens[0].SHA256 != want || c.Tokens[0].Scope != deployer.ScopeAdmin {
		t.Errorf("token = %+v", c.Tokens[0])
	}
}

func TestAProjectReplacesScalarsAndListsOfDefaultsAndAddsToItsMappings(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+web+`    branches: [production]
    keep: 5
    env: {B: project, C: project}
defaults:
  branches: [trunk]
  tags: ["v*"]
  rollback: notify
  env: {A: default, B: default}
  steps: {pull: {deadline: 1m}}
`)
	p, _ := c.Project("web")
	want := deployer.Selector{Branches: []string{"production"}, Tags: []string{"v*"}}
	if diff := cmp.Diff(want, p.Select); diff != "" {
		t.Errorf("selector: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"A": "default", "B": "project", "C": "project"}, p.Env); diff != "" {
		t.Errorf("env: -want +got\n%s", diff)
	}
	if p.Rollback != deployer.RollbackNotify || p.Keep != 5 {
		t.Errorf("rollback %s, keep %d", p.Rollback, p.Keep)
	}
	if want := (deployer.Timeout{Deadline: time.Minute}); p.Steps.Pull != want {
		t.Errorf("pull = %+v: a built-in silence longer than a given deadline has to go", p.Steps.Pull)
	}
}

func TestVariablesAreTextAndNeverYAML(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"EVIL": "a\nnode: b # ${NODE}", "NODE": "n1", "KEEP": "7"}
	c, err := config.Load(write(t, tokens+web+`    keep: ${KEEP}
    env:
      EVIL: "x${EVIL}y"
      ESCAPED: "$${NODE} $NODE $"
      DEFAULT: "${UNSET:-${NODE}"
node: ${NODE}
`), config.Options{Getenv: func(name string) string { return environment[name] }})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Project("web")
	want := map[string]string{
		"EVIL": "xa\nnode: b # ${NODE}y", "ESCAPED": "${NODE} $NODE $", "DEFAULT": "${NODE",
	}
	if diff := cmp.Diff(want, p.Env); diff != "" {
		t.Errorf("env: -want +got\n%s", diff)
	}
	if c.Node != "n1" || p.Keep != 7 {
		t.Errorf("node %q, keep %d", c.Node, p.Keep)
	}
}

func TestValuesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+web+"    branches: [1.10, 007, true, off]\n")
	p, _ := c.Project("web")
	if diff := cmp.Diff([]string{"1.10", "007", "true", "off"}, p.Select.Branches); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSecretFilesStartAtTheConfigurationAndLoseTheirLineEnd(t *testing.T) {
	t.Parallel()
	path := write(t, tokens+strings.Replace(web, "secret: fedcba9876543210", "secret_file: s/web, previous_secret_file: s/old", 1)+
		"    secrets: {DB: {secret_file: s/db}, KEY: {secret: in-the-file}, SHORT: also-in-the-file}\n")
	dir := filepath.Join(filepath.Dir(path), "s")
	writeFile(t, filepath.Join(dir, "web"), "0123456789abcdefnew\r\n", 0o600)
	writeFile(t, filepath.Join(dir, "old"), "0123456789abcdefold\n", 0o604)
	writeFile(t, filepath.Join(dir, "db"), "p w", 0o600)
	c, err := config.Load(path, config.Options{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := c.Hook("web")
	if len(h.Secrets) != 2 || !h.Secrets[0].Equal("0123456789abcdefnew") || !h.Secrets[1].Equal("0123456789abcdefold") {
		t.Errorf("hook has %d secrets, or wrong ones", len(h.Secrets))
	}
	p, _ := c.Project("web")
	if !p.Secrets["DB"].Equal("p w") || !p.Secrets["KEY"].Equal("in-the-file") || !p.Secrets["SHORT"].Equal("also-in-the-file") {
		t.Errorf("the project's secrets are wrong")
	}
	known := map[string]bool{}
	for _, s := range c.Secrets() {
		known[s.Reveal()] = true
	}
	for _, want := range []string{"0123456789abcdef", "0123456789abcdefnew", "0123456789abcdefold", "p w", "in-the-file", "also-in-the-file"} {
		if !known[want] {
			t.Errorf("Secrets() lacks %q", want)
		}
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Error(), "web.webhook.previous_secret_file: everybody on this machine can read") {
		t.Errorf("warnings = %v, want one, of the file with mode 604", c.Warnings)
	}
}

func TestAReadableFileWithSecretsInItIsWarnedOf(t *testing.T) {
	t.Parallel()
	path := write(t, tokens+web)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.Options{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Key != "api.tokens[0].token" {
		t.Errorf("warnings = %v", c.Warnings)
	}
}

func TestProjectsShareAHook(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+`projects:
  b: {repository: /srv/mono.git, paths: ["b/**"], webhook: {hook: mono, provider: gitlab, secret: fedcba9876543210}}
  a: {repository: /srv/mono.git, paths: ["a/**"], webhook: {hook: mono}}
`)
	if len(c.Hooks) != 1 {
		t.Fatalf("hooks = %+v, want one", c.Hooks)
	}
	h := c.Hooks[0]
	if diff := cmp.Diff([]string{"a", "b"}, h.Projects); diff != "" || h.Name != "mono" || h.Provider != deployer.GitLab || len(h.Secrets) != 1 {
		t.Errorf("hook = %+v", h)
	}
}

func TestPostgresAndItsPasswordAreKnownToTheRedactor(t *testing.T) {
	t.Parallel()
	c := load(t, "store: {driver: postgres, dsn: 'postgres://seadog:s3cr3t@db/seadog'}\n"+tokens+web)
	var passwords int
	for _, s := range c.Secrets() {
		if s.Equal("s3cr3t") || s.Equal("postgres://seadog:s3cr3t@db/seadog") {
			passwords++
		}
	}
	if passwords != 2 {
		t.Errorf("Secrets() holds %d of DSN and password", passwords)
	}
}

func TestListenersAndProxies(t *testing.T) {
	t.Parallel()
	c := load(t, `listen: ["[::1]:0", "unix:/run/seadog/http.sock", "systemd:http", "0.0.0.0:8789"]
trusted_proxies: [10.1.2.3/8, "::1"]
admin: {listen: "unix:admin.sock"}
`+tokens+web)
	want := []config.Listener{{"tcp", "[::1]:0"}, {"unix", "/run/seadog/http.sock"}, {"systemd", "http"}, {"tcp", "0.0.0.0:8789"}}
	if diff := cmp.Diff(want, c.Listen); diff != "" {
		t.Errorf("listen: -want +got\n%s", diff)
	}
	if got := []string{c.TrustedProxies[0].String(), c.TrustedProxies[1].String()}; got[0] != "10.0.0.0/8" || c.TrustedProxies[1] != netip.MustParsePrefix("::1/128") {
		t.Errorf("proxies = %v", got)
	}
	if want := filepath.Join(filepath.Dir(c.File), "admin.sock"); c.Admin.Network != "unix" || c.Admin.Address != want {
		t.Errorf("admin = %v, want %s", c.Admin, want)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Key != "listen[3]" {
		t.Errorf("warnings = %v, want one of plain HTTP on all addresses", c.Warnings)
	}
}

func TestAProjectThatOnlyFollowsImagesNeedsNoRepository(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+`projects:
  web:
    images: ["ghcr.io/you/web:latest"]
    compose: {directory: /srv/web, files: [compose.yaml]}
    webhook: {provider: registry, secret: fedcba9876543210}
`)
	p, _ := c.Project("web")
	if diff := cmp.Diff(deployer.Selector{Images: []string{"ghcr.io/you/web:latest"}}, p.Select); diff != "" || p.Compose.Directory != "/srv/web" {
		t.Errorf("%+v\n%s", p, diff)
	}
}

func TestCredentialsInARepositoryAreSecrets(t *testing.T) {
	t.Parallel()
	path := write(t, tokens+strings.Replace(web, "/srv/web.git", "https://a-token-as-a-user-name:hunter2@git.example.com/web.git", 1))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, config.Options{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, s := range c.Secrets() {
		if s.Equal("hunter2") || s.Equal("a-token-as-a-user-name") {
			known++
		}
	}
	if known != 2 {
		t.Errorf("Secrets() holds %d of user and password", known)
	}
	text, err := c.Print()
	if err != nil || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "a-token") {
		t.Errorf("the effective configuration shows them: %v", err)
	}
	if len(c.Warnings) != 1 {
		t.Errorf("warnings = %v, want one of secrets in a file that everybody can read", c.Warnings)
	}
}

func TestANamedPipeInThePlaceOfASecretDoesNotHang(t *testing.T) {
	t.Parallel()
	path := write(t, tokens+strings.Replace(web, "secret: fedcba9876543210", "secret_file: pipe", 1))
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(path), "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path, config.Options{Getenv: noEnvironment}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Load = %v", err)
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yml")
	writeFile(t, large, strings.Repeat("# nothing\n", 1<<18), 0o600)
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yml"): "there is no such file",
		dir:                            "a directory",
		large:                          "larger than 1 MiB",
		large + "/below":               "not a directory",
	} {
		if _, err := config.Load(path, config.Options{Getenv: noEnvironment}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%s) = %v, want %s", path, err, want)
		}
	}
}

func TestInsecureAllowsNoTokenAndNoSecretButNoWeakOne(t *testing.T) {
	t.Parallel()
	path := write(t, "projects: {web: {repository: /srv/web.git, webhook: {provider: github}}}\n")
	c, err := config.Load(path, config.Options{Getenv: noEnvironment, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := c.Hook("web"); len(h.Secrets) != 0 || !c.Insecure {
		t.Errorf("hook = %+v", h)
	}
	weak := write(t, "projects: {web: {repository: /srv/web.git, webhook: {provider: github, secret: x}}}\n")
	if _, err := config.Load(weak, config.Options{Getenv: noEnvironment, Insecure: true}); err == nil {
		t.Error("a weak secret passed")
	}
}

func TestFindPrefersThePathThenTheVariable(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "/from/variable.yml" }
	if got, _ := config.Find("given.yml", env); got != "given.yml" {
		t.Errorf("Find = %q", got)
	}
	if got, _ := config.Find("", env); got != "/from/variable.yml" {
		t.Errorf("Find = %q", got)
	}
	if _, err := config.Find("", noEnvironment); err == nil || !strings.Contains(err.Error(), "seadog init") {
		t.Errorf("Find = %v, want advice", err)
	}
}

// load writes text, and secrets of these names beside it, and loads it.
func load(t *testing.T, text string, secrets ...string) *config.Config {
	t.Helper()
	path := write(t, text)
	for _, name := range secrets {
		writeFile(t, filepath.Join(filepath.Dir(path), "secrets", name), "secret of 16 bytes: "+name+"\n", 0o600)
	}
	c, err := config.Load(path, config.Options{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seadog.yml")
	writeFile(t, path, text, 0o600)
	return path
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
