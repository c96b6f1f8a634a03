package spec_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/spec"
)

func TestAMinimalScenarioGetsEveryDefault(t *testing.T) {
	t.Parallel()
	got := parse(t, parts(head, aim, "phases: [{name: steady, for: 10s}]\n", web))
	want := &loadtest.Scenario{
		Name: "x", Repeat: 1, Digest: got.Digest,
		Target: loadtest.Target{BaseURL: "http://127.0.0.1:8080", Every: time.Second},
		Client: loadtest.Client{
			Transport: loadtest.NetHTTP, MaxInflight: 256, MaxConns: 256, Timeout: 5 * time.Second, LateLimit: 2 * time.Second, CatchUp: 2,
		},
		Phases: []loadtest.Phase{{Name: "steady", For: 10 * time.Second, Judged: true, Scale: 1}},
		Traffic: []loadtest.Traffic{{
			Name: "web", Judged: true, Pacing: loadtest.Pacing{Kind: loadtest.Constant, Rate: 100},
			Request: loadtest.Request{Method: "GET", Path: "/"}, Expect: loadtest.Expect{Status: []int{200}, MaxBody: 1 << 20},
		}},
		Hang: loadtest.Hang{After: 2 * time.Second, Gap: time.Second, Drain: 30 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(got.Digest) {
		t.Errorf("digest = %q", got.Digest)
	}
	if other := parse(t, parts(head, aim, "phases: [{name: steady, for: 11s}]\n", web)); other.Digest == got.Digest {
		t.Error("another file has the same digest")
	}
}

func TestEverythingThatAFileSaysIsInTheScenario(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "order.json"), `{"id": "{{id}}"}`)
	write(t, filepath.Join(dir, "token"), "from-a-file\r\n")
	s := parse(t, `
version: 1
name: all
description: what it is
seed: 18446744073709551615
repeat: 3
target:
  base_url: https://owned.example.com:8443/
  allow_hosts: ["::1", owned.example.com, other.example.com]
  metrics: {url: /metrics, every: 2s, token_env: TOKEN, headers: {Accept: text/plain}}
  process: {pid_file: run/pid, every: 2s}
  pprof: {url: "http://[::1]:6060/debug/pprof", headers: {Authorization: "Basic ${TOKEN}", X-Plain: "${TOKEN}"}}
  ledger: {url: "/jobs?run={{run}}", kind: ids, token_file: token}
client: {transport: fasthttp, max_inflight: 10, max_conns: 20, timeout: 1s, late_limit: 0s, catch_up: unlimited, fresh_conns: true, insecure: true}
phases:
  - {name: warm, for: 10s, judged: false, scale: 0.5}
  - {name: steady, for: 1h30m, stretch: true}
  - {name: drain, for: 500ms, load: none}
scenarios:
  - name: orders
    phases: [steady]
    judged: false
    pacing: {kind: steps, steps: [{rate: 30/min, for: 10s}, {rate: 36/h, for: 1m}]}
    request:
      method: PUT
      path: /orders/{{seq}}?run={{run}}
      headers: {X-Random: "{{rand 8}}"}
      body: {template: order.json, size: 2KiB..20KiB}
      id: {header: X-Order}
      sign: {scheme: hmac-sha256-hex, header: X-Sign, secret: "a${HOOK_SECRET}z"}
    expect: {status: [201, 202], body_contains: ok, max_body: 2KiB}
    replay: {share: 2.5%, expect: {status: [409]}}
    negative:
      - {name: unsigned, share: 1%, mutate: unsigned, expect: {status: [401]}}
      - {name: large, share: 0.1%, mutate: body(11MiB), expect: {closed: true}}
      - {name: lost, share: 0.1%, mutate: "path(/nowhere/{{seq}})", expect: {status: [404], max_body: 1KiB}}
  - name: pushes
    pacing: {kind: poisson, rate: 1/s}
    request:
      path: /hooks/{{project}}
      projects: [a, b]
      body: {push: github, repository: "me/{{project}}", ref: "refs/heads/{{rand 2}}", commits: [0123456789abcdef0123456789abcdef01234567], size: 7KiB}
      sign: {scheme: github-sha256, secret_env: HOOK_SECRET}
      id: {header: X-Id}
    replay: {share: 1%}
faults:
  - {name: freeze, phase: steady, at: 1m, for: 2s, every: 10m, do: {kind: stop, target: worker}}
  - {name: slow, phase: warm, via: db, for: 1s, do: {kind: latency, latency: 20ms, share: 20%}}
thresholds:
  - p50(response{scenario=orders}) < 200ms
hang: {gap: 3s, probe: "/healthz?a=b", drain: 1m, queue: 'q{a="b"}', progress: p, tolerate: true}
`, func(o *spec.Options) { o.Dir = dir })

	wantTarget := loadtest.Target{
		BaseURL: "https://owned.example.com:8443", AllowHosts: []string{"owned.example.com"},
		Metrics: loadtest.Endpoint{URL: "https://owned.example.com:8443/metrics", Header: http.Header{"Accept": {"text/plain"}, "Authorization": {"Bearer from-the-environment"}}},
		Pprof:   loadtest.Endpoint{URL: "http://[::1]:6060/debug/pprof", Header: http.Header{"Authorization": {"Basic from-the-environment"}, "X-Plain": {"${TOKEN}"}}},
		Ledger:  loadtest.Ledger{URL: "https://owned.example.com:8443/jobs?run={{run}}", Kind: "ids", Header: http.Header{"Authorization": {"Bearer from-a-file"}}},
		PIDFile: filepath.Join(dir, "run/pid"), Every: 2 * time.Second,
	}
	if diff := cmp.Diff(wantTarget, s.Target); diff != "" {
		t.Errorf("target: -want +got\n%s", diff)
	}
	wantClient := loadtest.Client{Transport: loadtest.FastHTTP, MaxInflight: 10, MaxConns: 20, Timeout: time.Second, FreshConns: true, Insecure: true}
	if diff := cmp.Diff(wantClient, s.Client); diff != "" {
		t.Errorf("client: -want +got\n%s", diff)
	}
	wantPhases := []loadtest.Phase{
		{Name: "warm", For: 10 * time.Second, Scale: 0.5},
		{Name: "steady", For: 90 * time.Minute, Judged: true, Scale: 1, Stretch: true},
		{Name: "drain", For: 500 * time.Millisecond, Judged: true},
	}
	if diff := cmp.Diff(wantPhases, s.Phases); diff != "" {
		t.Errorf("phases: -want +got\n%s", diff)
	}
	wantTraffic := []loadtest.Traffic{
		{
			Name: "orders", Phases: []string{"steady"},
			Pacing: loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{{Rate: 0.5, For: 10 * time.Second}, {Rate: 0.01, For: time.Minute}}},
			Request: loadtest.Request{
				Method: "PUT", Path: "/orders/{{seq}}?run={{run}}", Header: http.Header{"X-Random": {"{{rand 8}}"}}, ID: loadtest.ID{Header: "X-Order"},
				Body: loadtest.Body{File: filepath.Join(dir, "order.json"), MinSize: 2 << 10, MaxSize: 20 << 10},
				Sign: loadtest.Sign{Scheme: "hmac-sha256-hex", Header: "X-Sign", Secret: "ahook-secretz"},
			},
			Expect: loadtest.Expect{Status: []int{201, 202}, Contains: "ok", MaxBody: 2 << 10},
			Replay: loadtest.Replay{Share: 0.025, Expect: loadtest.Expect{Status: []int{409}, MaxBody: 2 << 10}},
			Negatives: []loadtest.Negative{
				{Name: "unsigned", Share: 0.01, Mutate: loadtest.Mutation{Kind: "unsigned"}, Expect: loadtest.Expect{Status: []int{401}, MaxBody: 2 << 10}},
				{Name: "large", Share: 0.001, Mutate: loadtest.Mutation{Kind: "body", Size: 11 << 20}, Expect: loadtest.Expect{Closed: true, MaxBody: 2 << 10}},
				{Name: "lost", Share: 0.001, Mutate: loadtest.Mutation{Kind: "path", Path: "/nowhere/{{seq}}"}, Expect: loadtest.Expect{Status: []int{404}, MaxBody: 1 << 10}},
			},
		},
		{
			Name: "pushes", Judged: true, Pacing: loadtest.Pacing{Kind: loadtest.Poisson, Rate: 1},
			Request: loadtest.Request{
				Method: "POST", Path: "/hooks/{{project}}", Projects: []string{"a", "b"},
				Body: loadtest.Body{
					Push: "github", Repository: "me/{{project}}", Ref: "refs/heads/{{rand 2}}",
					Commits: []string{"0123456789abcdef0123456789abcdef01234567"}, MinSize: 7 << 10, MaxSize: 7 << 10,
				},
				Sign: loadtest.Sign{Scheme: "github-sha256", Header: "X-Hub-Signature-256", Secret: "hook-secret"},
				ID:   loadtest.ID{Header: "X-Id"},
			},
			Expect: loadtest.Expect{Status: []int{200}, MaxBody: 1 << 20},
			Replay: loadtest.Replay{Share: 0.01, Expect: loadtest.Expect{Status: []int{200}, MaxBody: 1 << 20}},
		},
	}
	if diff := cmp.Diff(wantTraffic, s.Traffic); diff != "" {
		t.Errorf("traffic: -want +got\n%s", diff)
	}
	wantFaults := []loadtest.Fault{
		{Name: "freeze", Phase: "steady", At: time.Minute, For: 2 * time.Second, Every: 10 * time.Minute, Do: loadtest.Action{Kind: "stop", Target: "worker"}},
		{Name: "slow", Phase: "warm", For: time.Second, Do: loadtest.Action{Kind: "latency", Target: "db", Args: map[string]string{"latency": "20ms", "share": "20%"}}},
	}
	if diff := cmp.Diff(wantFaults, s.Faults); diff != "" {
		t.Errorf("faults: -want +got\n%s", diff)
	}
	wantHang := loadtest.Hang{After: 4 * time.Second, Gap: 3 * time.Second, Probe: "/healthz?a=b", Drain: time.Minute, Queue: `q{a="b"}`, Progress: "p", Tolerate: true}
	if diff := cmp.Diff(wantHang, s.Hang); diff != "" {
		t.Errorf("hang: -want +got\n%s", diff)
	}
	if s.Seed != 1<<64-1 || s.Repeat != 3 || s.Description != "what it is" || len(s.Thresholds) != 1 {
		t.Errorf("seed %d, repeat %d, description %q, thresholds %v", s.Seed, s.Repeat, s.Description, s.Thresholds)
	}
}

func TestAScenarioOfTheGateNeedsNeitherAddressNorSecrets(t *testing.T) {
	t.Parallel()
	s := parse(t, parts(head, `
service:
  run: serve
  projects: 2
  config: |
    watchdog: {harakiri: 3s}
target: {metrics: {every: 2s}, ledger: {kind: ids}}
phases: [{name: steady, for: 10s}]
scenarios:
  - name: pushes
    pacing: {kind: constant, rate: 4/s}
    request:
      path: /hooks/{{project}}
      body: {push: github, size: 7KiB}
      id: {header: X-GitHub-Delivery}
      sign: {scheme: github-sha256, secret_env: UNSET}
thresholds:
  - count(lost) == 0
  - slope(rss) < 8MiB/h
  - delta(server.kills_total{pool=http,level=hard}) <= 0
hang: {queue: a, progress: b}
`))
	want := loadtest.Service{Kind: "serve", Options: map[string]string{"projects": "2", "config": "watchdog: {harakiri: 3s}\n"}}
	if diff := cmp.Diff(want, s.Service); diff != "" {
		t.Errorf("service: -want +got\n%s", diff)
	}
	if s.Target.BaseURL != "" || s.Target.Metrics.URL != "" || s.Target.Every != 2*time.Second || s.Target.Ledger.Kind != "ids" || s.Traffic[0].Request.Sign.Secret != "" {
		t.Errorf("target = %+v, secret %q", s.Target, s.Traffic[0].Request.Sign.Secret)
	}
}

func TestOptionsChangeWhatAFileMeans(t *testing.T) {
	t.Parallel()
	text := parts(head, aim, "phases: [{name: a, for: 10s, stretch: true}, {name: b, for: 10s}]\n", `
scenarios:
  - {name: web, pacing: {kind: constant, rate: 100/s}, request: {path: /, sign: {scheme: github-sha256, secret_env: UNSET}}}
`)
	s := parse(t, text, func(o *spec.Options) {
		o.WithoutSecrets, o.BaseURL, o.Stretch = true, "http://localhost:9", 2.5
	})
	if s.Target.BaseURL != "http://localhost:9" || s.Phases[0].For != 25*time.Second || s.Phases[1].For != 10*time.Second {
		t.Errorf("target %s, phases %v", s.Target.BaseURL, s.Phases)
	}
	for change, want := range map[string]func(*spec.Options){
		"base_url: example.com is not this machine": func(o *spec.Options) { o.BaseURL, o.WithoutSecrets = "http://example.com", true },
		"10s times 1e+09 is out of range":           func(o *spec.Options) { o.Stretch, o.WithoutSecrets = 1e9, true },
		"environment variable UNSET is not set":     func(o *spec.Options) { o.Getenv = nil },
	} {
		o := options()
		want(&o)
		if _, err := spec.Parse("x.yaml", []byte(text), o); err == nil || !strings.Contains(err.Error(), change) {
			t.Errorf("Parse = %v, want %s", err, change)
		}
	}
}

func TestThisMachineNeedsNoLeave(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]"} {
		parse(t, parts(head, "target: {base_url: \"http://"+host+"\"}\n", phases, web))
	}
	for _, host := range []string{"localhost.example.com", "128.0.0.1", "[::]", "10.0.0.1", "[::ffff:10.0.0.1]", "127.1", "2130706433", "0x7f.1"} {
		_, err := spec.Parse("x.yaml", []byte(parts(head, "target: {base_url: \"http://"+host+"\"}\n", phases, web)), options())
		if err == nil || !strings.Contains(err.Error(), "is not this machine") {
			t.Errorf("%s: Parse = %v", host, err)
		}
	}
}

func TestARecordingIsRead(t *testing.T) {
	t.Parallel()
	s := parse(t, parts(head, aim, phases, "scenarios: [{name: web, pacing: {kind: replay, file: monday.jsonl}, request: {path: /}}]\n"),
		func(o *spec.Options) { o.Dir = "testdata/files" })
	want := []time.Duration{0, 1500 * time.Millisecond, 2 * time.Second}
	if p := s.Traffic[0].Pacing; !cmp.Equal(want, p.Offsets) || p.Speed != 1 || !filepath.IsAbs(p.File) {
		t.Errorf("pacing = %+v", p)
	}
}

func TestAFaultMayOutlastItsPhase(t *testing.T) {
	t.Parallel()
	s := parse(t, parts(head, aim, phases, web, "faults: [{name: freeze, phase: steady, at: 9s, for: 6s, do: {kind: stop}}]\n"))
	if s.Faults[0].For != 6*time.Second {
		t.Errorf("fault = %+v", s.Faults[0])
	}
}

func TestHangAfterFollowsTheTightestPercentile(t *testing.T) {
	t.Parallel()
	for thresholds, want := range map[string]time.Duration{
		"[p50(response) < 300ms, p90(response) < 500ms, mean(response) < 1ms]": 6 * time.Second,
		"[p50(response) < 50ms]": 2 * time.Second,
		"[p50(service) < 500ms]": 2 * time.Second,
	} {
		s := parse(t, parts(head, aim, phases, web, "thresholds: ", thresholds, "\n"))
		if s.Hang.After != want {
			t.Errorf("%s: after = %s, want %s", thresholds, s.Hang.After, want)
		}
	}
}

// A scenario prints as a file that means the same.
func TestAScenarioPrintsBack(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"example": spec.Example(), "minimal": parts(head, aim, phases, web),
		"managed": parts(head, "service: {run: serve, config: \"a: b\\n\"}\n", phases, web),
		"process": parts(head, "target: {base_url: \"http://127.0.0.1:1\", process: {pid_file: a, every: 5s}}\n", phases, web),
		"names":   parts("version: 1\nname: \"1.10\"\ndescription: \"no: {yes} # ~\\n\\n  x\\ty\"\n", aim, phases, web),
		"host":    parts(head, "target: {base_url: \"http://owned.example.com\", allow_hosts: [owned.example.com]}\n", phases, web),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printsBack(t, parse(t, text))
		})
	}
}

func printsBack(t *testing.T, before *loadtest.Scenario) {
	t.Helper()
	text := spec.Format(before)
	for _, secret := range []string{"from-the-environment", "hook-secret", "api-token"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("shows %s", secret)
		}
	}
	after, err := spec.Parse("printed.yaml", text, options())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	same := cmp.Options{
		withoutText, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(loadtest.Scenario{}, "Digest"), cmpopts.IgnoreFields(loadtest.Sign{}, "Secret"),
		cmp.FilterValues(func(a, b http.Header) bool { return len(a)+len(b) > 0 }, cmp.Transformer("names", func(h http.Header) map[string]bool {
			names := map[string]bool{}
			for name := range h {
				names[name] = true
			}
			return names
		})),
	}
	if diff := cmp.Diff(before, after, same); diff != "" {
		t.Errorf("-before +after\n%s\n%s", diff, text)
	}
}

func TestTheExampleHasEveryKey(t *testing.T) {
	t.Parallel()
	for _, key := range spec.Keys() {
		if !regexp.MustCompile(`(?m)(^|[\s{,-])` + key + `:`).MatchString(spec.Example()) {
			t.Errorf("the example does not mention %s", key)
		}
	}
}

// What the example shows as defaults are the defaults.
func TestTheExampleSaysWhatHoldsWithoutIt(t *testing.T) {
	t.Parallel()
	example := parse(t, spec.Example())
	bare := parse(t, parts(head, aim, phases, web))
	if diff := cmp.Diff(bare.Client, example.Client); diff != "" {
		t.Errorf("client: -default +example\n%s", diff)
	}
	if bare.Hang.Gap != example.Hang.Gap || bare.Hang.Drain != example.Hang.Drain || bare.Hang.After != example.Hang.After || bare.Target.Every != example.Target.Every || bare.Repeat != example.Repeat {
		t.Errorf("hang %+v, want %+v", example.Hang, bare.Hang)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
