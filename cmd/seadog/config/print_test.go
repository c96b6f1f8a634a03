package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/scaffold"
)

func TestTheEffectiveConfigurationIsCompleteAndRedacted(t *testing.T) {
	t.Parallel()
	c := load(t, tokens+web+"    secrets: {DB: hunter2}\n")
	text, err := c.Print()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"0123456789abcdef", "fedcba9876543210", "hunter2"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the effective configuration shows %s", secret)
		}
	}
	for _, want := range []string{"body: 26MiB", "deadline: 30m0s", "provider: github", "/var/lib/seadog/seadog.db"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the effective configuration lacks %s:\n%s", want, text)
		}
	}
	// Everything but the redacted secrets can be read again.
	again := strings.ReplaceAll(string(text), "[redacted]", "0123456789abcdef")
	if _, err := config.Load(write(t, again), config.Options{Getenv: noEnvironment}); err != nil {
		t.Errorf("the effective configuration is not valid: %v", err)
	}
}

func TestTheExampleLoadsAndItsActiveKeysAreTheDefaults(t *testing.T) {
	t.Parallel()
	example, err := scaffold.Config(scaffold.Example{Project: "web", Repository: "/srv/web.git"})
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, example)
	for _, name := range []string{"token", "web"} {
		writeFile(t, filepath.Join(filepath.Dir(path), "secrets", name), "secret of 16 bytes: "+name+"\n", 0o600)
	}
	got, err := config.Load(path, config.Options{Getenv: noEnvironment})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 0 {
		t.Errorf("warnings = %v", got.Warnings)
	}
	fromExample, err := got.Print()
	if err != nil {
		t.Fatal(err)
	}
	fromNothing, err := load(t, `api: {tokens: [{name: ops, scope: admin, token_file: secrets/token}]}
projects: {web: {repository: /srv/web.git, webhook: {provider: github, secret_file: secrets/web}}}
`, "token", "web").Print()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(fromNothing), string(fromExample)); diff != "" {
		t.Errorf("the example is not the defaults: -defaults +example\n%s", diff)
	}
}

func TestEveryKeyIsInTheExample(t *testing.T) {
	t.Parallel()
	example, err := scaffold.Config(scaffold.Example{})
	if err != nil {
		t.Fatal(err)
	}
	active := uncomment(example)
	for _, key := range config.Keys() {
		if !active[key] {
			t.Errorf("the example does not mention %s", key)
		}
	}
}

// uncomment returns all key paths of the example, those that are commented out included.
func uncomment(example string) map[string]bool {
	found := map[string]bool{}
	type level struct {
		indent int
		key    string
	}
	var path []level
	for line := range strings.Lines(example) {
		code := strings.TrimLeft(line, " #")
		for strings.HasPrefix(code, "- ") {
			code = strings.TrimLeft(code[2:], " ")
		}
		key, rest, ok := strings.Cut(code, ":")
		if !ok || strings.ContainsAny(key, " \"") || rest != "" && rest[0] != ' ' && rest[0] != '\n' {
			continue
		}
		indent := strings.Index(line, code)
		if hash := strings.Index(line, "#"); hash >= 0 && hash < indent {
			indent -= 2 // "# " before a key
		}
		for len(path) > 0 && path[len(path)-1].indent >= indent {
			path = path[:len(path)-1]
		}
		path = append(path, level{indent, key})
		var keys []string
		for _, l := range path {
			keys = append(keys, l.key)
		}
		found[strings.Join(keys, ".")] = true
		for inner := range strings.SplitSeq(strings.Trim(rest, " {}\n"), ",") { // {deadline: 2m, silence: 1m}
			if k, _, ok := strings.Cut(strings.TrimSpace(inner), ": "); ok {
				found[strings.Join(keys, ".")+"."+k] = true
			}
		}
	}
	return found
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/refused/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(tokens + web))
	path := filepath.Join(f.TempDir(), "seadog.yml")
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse(path, text, config.Options{Getenv: func(name string) string { return name }})
		if err == nil {
			if _, err := c.Print(); err != nil {
				t.Fatal(err)
			}
			return
		}
		lines := strings.Count(string(text), "\n") + 1
		for _, p := range err.(config.Problems) {
			if p.Line < 1 || p.Line > lines+1 || p.Column < 1 || p.What == "" || p.File == "" {
				t.Fatalf("no position: %+v", p)
			}
		}
	})
}
