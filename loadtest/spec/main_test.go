package spec_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options of a user who has one variable set and one host of his own.
func options() spec.Options {
	return spec.Options{
		Getenv: func(name string) string {
			return map[string]string{"TOKEN": "from-the-environment", "HOOK_SECRET": "hook-secret", "API_TOKEN": "api-token"}[name]
		},
		Own: []string{"owned.example.com"},
		Fault: func(f loadtest.Fault) error {
			if f.Do.Kind == "explode" {
				return errors.New("there is no kind explode; write stop or kill")
			}
			return nil
		},
	}
}

// head and tail are what every scenario needs besides what a test is about.
const (
	head   = "version: 1\nname: x\n"
	aim    = "target: {base_url: \"http://127.0.0.1:8080\"}\n"
	phases = "phases: [{name: warmup, for: 2s, judged: false, scale: 0.5}, {name: steady, for: 10s}, {name: drain, for: 5s, load: none}]\n"
	web    = "scenarios: [{name: web, pacing: {kind: constant, rate: 100/s}, request: {path: /}}]\n"
)

func parse(t *testing.T, text string, change ...func(*spec.Options)) *loadtest.Scenario {
	t.Helper()
	o := options()
	for _, f := range change {
		f(&o)
	}
	s, err := spec.Parse("x.yaml", []byte(text), o)
	if err != nil {
		t.Fatalf("Parse:\n%v\n%s", err, text)
	}
	return s
}

// parts joins parts of a file.
func parts(all ...string) string { return strings.Join(all, "") }
