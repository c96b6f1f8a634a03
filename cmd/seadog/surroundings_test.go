package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/doctor"
	"github.com/seadog/seadog/cmd/seadog/scaffold"
)

// local runs a command that asks no service, with an empty environment.
func local(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	code = run(t.Context(), &env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &diagnostics,
		Getenv: func(string) string { return "" },
	})
	return code, out.String(), diagnostics.String()
}

func TestInitWritesAConfigurationThatCheckAccepts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "etc", "seadog")
	code, out, diagnostics := local(t, "init", dir, "--project", "web", "--repository", "git@github.com:you/web.git", "--provider", "gitea")
	if code != exitOK {
		t.Fatalf("init = %d\n%s%s", code, out, diagnostics)
	}
	if !strings.Contains(out, "/hooks/web") || !strings.Contains(out, filepath.Join(dir, "secrets", "web")) {
		t.Errorf("init does not say how to go on:\n%s", out)
	}
	file := filepath.Join(dir, "seadog.yml")
	if code, out, diagnostics := local(t, "check", file); code != exitOK || diagnostics != "" || !strings.Contains(out, "ok, 1 project\n") {
		t.Errorf("check = %d\n%s%s", code, out, diagnostics)
	}
	secrets := map[string]bool{}
	for _, name := range []string{"token", "web"} {
		path := filepath.Join(dir, "secrets", name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		secrets[string(text)] = true
		if strings.Contains(out, strings.TrimSpace(string(text))) {
			t.Errorf("init prints the secret %s", name)
		}
	}
	if len(secrets) != 2 {
		t.Error("both secrets are the same")
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	token := filepath.Join(dir, "secrets", "token")
	if err := os.MkdirAll(filepath.Dir(token), 0o700); err != nil {
		t.Fatal(err)
	}
	const mine = "a token of my own, long enough\n"
	if err := os.WriteFile(token, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	// The directory of the secrets exists, so none is made unless asked for.
	if code, _, diagnostics := local(t, "init", dir); code != exitFailed || !strings.Contains(diagnostics, "there is no file") {
		t.Errorf("init = %d %s, want what is missing", code, diagnostics)
	}
	before, err := os.ReadFile(filepath.Join(dir, "seadog.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if code, _, diagnostics := local(t, "init", dir); code != exitConflict || !strings.Contains(diagnostics, "exists") {
		t.Errorf("init = %d %s", code, diagnostics)
	}
	if err := os.Remove(filepath.Join(dir, "seadog.yml")); err != nil {
		t.Fatal(err)
	}
	if code, out, diagnostics := local(t, "init", "--secrets", dir); code != exitOK || !strings.Contains(out, "kept "+token) {
		t.Errorf("init --secrets = %d\n%s%s", code, out, diagnostics)
	}
	after, err := os.ReadFile(filepath.Join(dir, "seadog.yml"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the configuration changed: %v", err)
	}
	if text, err := os.ReadFile(token); err != nil || string(text) != mine {
		t.Errorf("the token is now %q, %v", text, err)
	}
}

func TestInitPrintsWhatProductionNeeds(t *testing.T) {
	t.Parallel()
	for _, kind := range scaffold.Kinds() {
		if code, out, _ := local(t, "init", "--print", kind); code != exitOK || len(out) < 100 {
			t.Errorf("init --print %s = %d, %d bytes", kind, code, len(out))
		}
	}
	for _, args := range [][]string{{"--print", "apache"}, {"--project", "../x"}, {"--provider", "githab"}, {"a", "b"}} {
		if code, out, _ := local(t, append([]string{"init"}, args...)...); code != exitUsage || out != "" {
			t.Errorf("init %v = %d", args, code)
		}
	}
}

func TestCheckPrintsEveryProblemOfEveryFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yml")
	if err := os.WriteFile(bad, []byte("lisen: \x1b[2J\nworkers: {http: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, diagnostics := local(t, "check", bad, filepath.Join(dir, "none.yml"))
	if code != exitFailed || out != "" {
		t.Errorf("check = %d %s", code, out)
	}
	if strings.Contains(diagnostics, "\x1b") {
		t.Error("what is in the file reaches the terminal")
	}
	if err := os.WriteFile(bad, []byte("lisen: a\nworkers: {http: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, diagnostics = local(t, "check", bad, filepath.Join(dir, "none.yml"))
	for _, want := range []string{"bad.yml:1:1: lisen: unknown key", "bad.yml:2:17: workers.http: 0 is out of range", "none.yml: there is no such file"} {
		if !strings.Contains(diagnostics, want) {
			t.Errorf("check does not say %q:\n%s", want, diagnostics)
		}
	}
}

func TestCheckPrintsTheEffectiveConfigurationRedacted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "seadog.yml")
	text := "projects: {web: {repository: /srv/web.git, webhook: {provider: github, secret: 0123456789abcdef}}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, diagnostics := local(t, "check", file); code != exitFailed || !strings.Contains(diagnostics, "api.tokens") {
		t.Errorf("check = %d %s, want that there is no token", code, diagnostics)
	}
	code, out, _ := local(t, "check", "--insecure", "--print", file)
	if code != exitOK || !strings.Contains(out, "body: 26MiB") || strings.Contains(out, "0123456789abcdef") {
		t.Errorf("check --print = %d\n%s", code, out)
	}
	again := filepath.Join(t.TempDir(), "again.yml")
	if err := os.WriteFile(again, []byte(strings.ReplaceAll(out, "[redacted]", "0123456789abcdef")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(again, config.Options{Getenv: func(string) string { return "" }, Insecure: true}); err != nil {
		t.Errorf("what is printed is no configuration: %v", err)
	}
}

func TestDoctorExaminesOnlyWhatItIsAsked(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	code, out, _ := local(t, "doctor", web.URL)
	if code != exitOK || !strings.HasPrefix(out, "ok    "+web.URL+"  speaks HTTP, status 404") || strings.Contains(out, "\x1b") {
		t.Errorf("doctor = %d\n%s", code, out)
	}
	uwsgi := strings.Replace(web.URL, "http", "uwsgi", 1)
	code, out, _ = local(t, "doctor", "--json", web.URL, uwsgi)
	var findings []doctor.Finding
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		t.Fatal(err)
	}
	if code != exitFailed || len(findings) != 2 || findings[1].Name != uwsgi || findings[1].Level != doctor.Fail || findings[1].Do == "" {
		t.Errorf("doctor --json = %d %+v", code, findings)
	}
}

func TestDoctorReadsTheConfiguration(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "seadog.yml")
	text := "listen: [\"" + web.Listener.Addr().String() + "\"]\ndata: d\ndocker: {host: \"unix://" + dir + "/docker.sock\"}\n" +
		"projects: {web: {repository: /srv/web.git, webhook: {provider: github}, health: {probes: [{http: \"" + web.URL + "/x\"}]}}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, diagnostics := local(t, "doctor", "--config", file)
	if code != exitFailed {
		t.Errorf("doctor = %d: the engine is not there, and the port is taken", code)
	}
	for _, want := range []string{
		"valid", filepath.Join(dir, "d") + " will be made", dir + "/docker.sock does not exist",
		web.Listener.Addr().String() + " is taken by", web.URL + "/x", "→ start Docker",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s%s", want, out, diagnostics)
		}
	}
}
