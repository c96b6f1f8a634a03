package httpd_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// verdicts is the decisions of a delivery, "project verdict".
func verdicts(d deployer.Delivery) []string {
	var all []string
	for _, e := range d.Decisions {
		all = append(all, strings.TrimSpace(e.Project+" "+string(e.Verdict)))
	}
	return all
}

func TestEveryDeliveryGetsItsDecisionAndCode(t *testing.T) {
	t.Parallel()
	zero := strings.Repeat("0", 40)
	for name, test := range map[string]struct {
		event    string
		body     []byte
		before   func(*service)
		status   int
		verdicts []string
		rings    int64
	}{
		"a push to the branch deploys": {
			event: "push", body: push("refs/heads/main", commitA, commitB),
			status: 202, verdicts: []string{"docs ignored", "web queued"}, rings: 1,
		},
		"a push of another branch is ignored by all": {
			event: "push", body: push("refs/heads/feature/main", commitA, commitB),
			status: 200, verdicts: []string{"web ignored", "docs ignored"},
		},
		"a pattern of the second project matches": {
			event: "push", body: push("refs/heads/release/2", commitA, commitB),
			status: 202, verdicts: []string{"web ignored", "docs queued"}, rings: 1,
		},
		"a push behind a lock is deferred": {
			event: "push", body: push("refs/heads/main", commitA, commitB),
			before: func(s *service) { s.store.locks["web"] = deployer.Lock{Project: "web", Owner: "alice"} },
			status: 202, verdicts: []string{"docs ignored", "web deferred"},
		},
		"a push onto a waiting one is coalesced": {
			event: "push", body: push("refs/heads/main", commitA, commitB),
			before: func(s *service) {
				s.deliver("push", "first", push("refs/heads/main", commitB, commitA))
				s.rings.Store(0)
			},
			status: 202, verdicts: []string{"docs ignored", "web coalesced"},
		},
		"the same delivery again is a duplicate": {
			event: "push", body: push("refs/heads/main", commitA, commitB),
			before: func(s *service) {
				s.deliver("push", "id-1", push("refs/heads/main", commitA, commitB))
				s.rings.Store(0)
			},
			status: 200, verdicts: []string{"docs ignored", "web duplicate"},
		},
		"a deleted branch is ignored": {
			event:  "push",
			body:   []byte(`{"ref":"refs/heads/main","before":"` + commitA + `","after":"` + zero + `","deleted":true,"head_commit":null,"commits":[],"repository":{"full_name":"acme/web"}}`),
			status: 200, verdicts: []string{"web ignored", "docs ignored"},
		},
		"a commit that says so is skipped": {
			event: "push", body: push("refs/heads/main", commitA, commitB, "[skip ci]"),
			status: 200, verdicts: []string{"web ignored", "docs ignored"},
		},
		"a push of another repository is ignored": {
			event:  "push",
			body:   bytes.Replace(push("refs/heads/main", commitA, commitB), []byte("acme/web"), []byte("acme/webshop"), 1),
			status: 200, verdicts: []string{"web ignored", "docs ignored"},
		},
		"a ping is recorded": {
			event: "ping", body: []byte(`{"zen":"Half measures are as bad as nothing at all.","hook_id":1}`),
			status: 200, verdicts: []string{"ignored"},
		},
		"another event is recorded": {
			event: "workflow_run", body: []byte(`{"action":"completed"}`),
			status: 200, verdicts: []string{"ignored"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if test.before != nil {
				test.before(s)
			}
			a := s.deliver(test.event, "id-1", test.body)
			if a.status != test.status {
				t.Fatalf("got %s, want %d", a, test.status)
			}
			var d deployer.Delivery
			a.decode(t, &d)
			if diff := cmp.Diff(test.verdicts, verdicts(d)); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
			for _, e := range d.Decisions {
				if e.Verdict == deployer.VerdictIgnored && e.Reason == "" {
					t.Errorf("ignored without a reason: %+v", e)
				}
			}
			if got := s.rings.Load(); got != test.rings {
				t.Errorf("rang %d times, want %d", got, test.rings)
			}
		})
	}
}

func TestWhatIsNoDeliveryIsRefusedWithTheRightCode(t *testing.T) {
	t.Parallel()
	good := push("refs/heads/main", commitA, commitB)
	for name, test := range map[string]struct {
		path   string
		body   []byte
		header []string
		status int
		code   deployer.Code
	}{
		"unknown hook":                {"/hooks/nope", good, []string{"X-Hub-Signature-256", sign(good)}, 404, deployer.CodeNotFound},
		"hook with a secret path":     {"/hooks/gh/" + secret, good, []string{"X-Hub-Signature-256", sign(good)}, 404, deployer.CodeNotFound},
		"no signature":                {"/hooks/gh", good, nil, 401, deployer.CodeUnauthorized},
		"empty signature":             {"/hooks/gh", good, []string{"X-Hub-Signature-256", "sha256="}, 401, deployer.CodeUnauthorized},
		"signature of something else": {"/hooks/gh", good, []string{"X-Hub-Signature-256", sign([]byte("x"))}, 401, deployer.CodeUnauthorized},
		"not JSON":                    {"/hooks/gh", []byte("nope"), []string{"X-Hub-Signature-256", sign([]byte("nope"))}, 400, deployer.CodeInvalid},
		"empty":                       {"/hooks/gh", nil, []string{"X-Hub-Signature-256", sign(nil)}, 400, deployer.CodeInvalid},
		"compressed":                  {"/hooks/gh", good, []string{"X-Hub-Signature-256", sign(good), "Content-Encoding", "gzip"}, 400, deployer.CodeInvalid},
		"docker hub without token":    {"/hooks/hub", []byte(`{}`), nil, 401, deployer.CodeUnauthorized},
		"docker hub, wrong token":     {"/hooks/hub/wrong", []byte(`{}`), nil, 401, deployer.CodeUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			a := s.do("POST", test.path, bytes.NewReader(test.body),
				append([]string{"Content-Type", "application/json", "X-GitHub-Event", "push"}, test.header...)...)
			if a.status != test.status || a.problem(t).Error.Code != test.code {
				t.Errorf("got %s, want %d %s", a, test.status, test.code)
			}
			if len(s.store.deliveries) != 0 {
				t.Errorf("it was recorded: %+v", s.store.deliveries)
			}
		})
	}
}

func TestARefusalDoesNotTellWhyTheSignatureIsWrong(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := push("refs/heads/main", commitA, commitB)
	var answers []string
	for _, signature := range []string{"", "sha256=", "sha256=00", sign([]byte("x")), "sha1=00"} {
		a := s.do("POST", "/hooks/gh", bytes.NewReader(body), "X-GitHub-Event", "push",
			"X-Hub-Signature-256", signature, "X-Request-Id", "same")
		answers = append(answers, a.String())
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("%s differs from %s", a, answers[0])
		}
	}
}

func TestDockerHubDeliversThroughItsSecretPath(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := `{"push_data":{"tag":"latest","pusher":"al"},"repository":{"repo_name":"acme/cache"}}`
	a := s.do("POST", "/hooks/hub/"+secret, strings.NewReader(body), "Content-Type", "application/json")
	if a.status != 202 {
		t.Fatalf("got %s, want 202", a)
	}
	if d := s.store.deployments[0]; d.Project != "cache" || d.Ref != "acme/cache:latest" {
		t.Errorf("got %+v, want the image as ref", d)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Errorf("the secret is in the log:\n%s", s.log)
	}
}

// TestRealPayloadsGetTheirCode sends what GitHub sends to a project that
// follows everything: only a push that leaves something behind deploys.
func TestRealPayloadsGetTheirCode(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../webhook/testdata/github/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no payloads: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			header, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".header")
			if err != nil {
				t.Fatal(err)
			}
			h := []string{"X-Hub-Signature-256", sign(body), "Content-Type", "application/json"}
			for line := range strings.Lines(string(header)) {
				if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && key != "Content-Type" {
					h = append(h, key, value)
				}
			}
			s := start(t, func(c *httpd.Config) {
				c.Hooks[0].Projects = []string{"docs"} // its repository is a path, which follows any name
				c.Projects[1].Select = deployer.Selector{Branches: []string{"**"}, Tags: []string{"**"}, Images: []string{"**"}}
			})
			want := 202
			if !strings.HasPrefix(name, "push") || strings.Contains(name, "delete") || strings.Contains(name, "skip") {
				want = 200
			}
			a := s.do("POST", "/hooks/gh", bytes.NewReader(body), h...)
			if a.status != want {
				t.Errorf("got %s, want %d", a, want)
			}
			if deployed := len(s.store.deployments); (deployed > 0) != (want == 202) {
				t.Errorf("%d deployments after %s", deployed, a)
			}
		})
	}
}

func TestADeliveryThatCannotBeRecordedIsRefusedAsUnavailable(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]func(*service){
		"the store fails": func(s *service) {
			err := errors.New("disk I/O error in /var/lib/secret-place")
			s.store.fail.Store(&err)
		},
		"the store reports an internal error": func(s *service) {
			err := error(deployer.Errorf(deployer.CodeInternal, "secret-place"))
			s.store.fail.Store(&err)
		},
		"the store hangs": func(s *service) { s.store.hang.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(c *httpd.Config) { c.Limits.AcceptTimeout = 50 * time.Millisecond })
			stage(s)
			a := s.deliver("push", "1", push("refs/heads/main", commitA, commitB))
			if a.status != http.StatusServiceUnavailable || a.problem(t).Error.Code != deployer.CodeUnavailable {
				t.Errorf("got %s, want 503", a)
			}
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if strings.Contains(a.String(), "secret-place") {
				t.Errorf("the cause leaked: %s", a)
			}
			if !strings.Contains(s.log.String(), "level=WARN") {
				t.Errorf("nothing in the log:\n%s", s.log)
			}
		})
	}
}

func TestWithoutSecretsOnlyAnInsecureServiceAcceptsUnsignedDeliveries(t *testing.T) {
	t.Parallel()
	body := push("refs/heads/main", commitA, commitB)
	for _, insecure := range []bool{true, false} {
		s := start(t, func(c *httpd.Config) { c.Insecure = insecure; c.Hooks[0].Secrets = nil })
		a := s.do("POST", "/hooks/gh", bytes.NewReader(body), "X-GitHub-Event", "push", "Content-Type", "application/json")
		if want := map[bool]int{true: 202, false: 401}[insecure]; a.status != want {
			t.Errorf("insecure %v: got %s, want %d", insecure, a, want)
		}
	}
}

func TestDeliveriesThatDoNotVerifyAreLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Now().Unix())
	s := start(t, func(c *httpd.Config) { c.Now = func() time.Time { return time.Unix(clock.Load(), 0) } })
	warnings := func() int { return strings.Count(s.log.String(), "level=WARN") }
	for range 50 {
		s.do("POST", "/hooks/gh", strings.NewReader("{}"))
	}
	if n := warnings(); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, s.log)
	}
	if n := strings.Count(s.counted.String(), "unverified github"); n != 50 {
		t.Errorf("%d of 50 were counted", n)
	}
	clock.Add(61)
	s.do("POST", "/hooks/gh", strings.NewReader("{}"))
	if n := warnings(); n != 2 {
		t.Errorf("%d warnings a minute later, want 2", n)
	}
}
