package target_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/target"
)

// wire compares what goes over the wire.
var wire = cmp.Options{cmpopts.IgnoreUnexported(target.Shot{}), cmp.Comparer(bytes.Equal)}

func TestIdsAreUUIDsOfRunTrafficAndNumber(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, name := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "c"}, {strings.Repeat("long", 60), "b"}} {
		for seq := range uint64(1000) {
			id := target.ID(name[0], name[1], seq)
			if !form.MatchString(id) || seen[id] {
				t.Fatalf("id of %q %d: %s, seen: %v", name, seq, id, seen[id])
			}
			seen[id] = true
		}
	}
	if got, again := target.ID("r", "t", 7), target.ID("r", "t", 7); got != again {
		t.Errorf("got %s and %s", got, again)
	}
}

func TestARunCanBeHadAgain(t *testing.T) {
	t.Parallel()
	first, again := shots(t, config(webhooks()), 500), shots(t, config(webhooks()), 500)
	if diff := cmp.Diff(first, again, wire); diff != "" {
		t.Error(diff)
	}
	c := config(webhooks())
	c.Seed++
	if other := shots(t, c, 1); bytes.Equal(first[0].Body, other[0].Body) {
		t.Error("another seed makes the same bodies")
	}
	c = config(webhooks())
	c.Run = "r2"
	if other := shots(t, c, 1); first[0].ID == other[0].ID {
		t.Error("another run has the same ids")
	}
}

func TestARepeatedRequestIsTheOneItRepeats(t *testing.T) {
	t.Parallel()
	all := shots(t, config(webhooks()), 3000)
	repeated := 0
	for seq, s := range all {
		if s.Variant != loadtest.Repeated {
			if s.Of != uint64(seq) {
				t.Fatalf("%d carries the id of %d", seq, s.Of)
			}
			continue
		}
		repeated++
		of := all[s.Of]
		if s.Of >= uint64(seq) || of.Variant != loadtest.Plain {
			t.Fatalf("%d repeats %d, which is %v", seq, s.Of, of.Variant)
		}
		if s.ID != target.ID("r1", "webhooks", s.Of) || !bytes.Equal(s.Body, of.Body) || *s.URL != *of.URL {
			t.Fatalf("%d does not repeat %d", seq, s.Of)
		}
		if diff := cmp.Diff(of.Header, s.Header); diff != "" {
			t.Fatalf("%d: %s", seq, diff)
		}
		if s.Expect.Status[0] != 200 {
			t.Fatalf("a repeated one expects %v", s.Expect.Status)
		}
	}
	if repeated < 200 || repeated > 400 {
		t.Errorf("%d of 3000 are repeated, about 300 should", repeated)
	}
}

func TestSharesAreKept(t *testing.T) {
	t.Parallel()
	traffic := webhooks()
	m, err := target.NewMix(1, traffic)
	if err != nil {
		t.Fatal(err)
	}
	const n = 200_000
	got := make([]int, len(traffic.Negatives))
	for seq := range uint64(n) {
		if c := m.Choose(seq); c.Variant == loadtest.Spoiled {
			got[c.Negative]++
		}
	}
	for i, g := range got {
		if want := 0.02 * n; float64(g) < 0.95*want || float64(g) > 1.05*want {
			t.Errorf("%s: %d, want about %v", traffic.Negatives[i].Name, g, want)
		}
	}
}

func signatureOf(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestSpoiledRequestsAreSpoiledInOneWay(t *testing.T) {
	t.Parallel()
	c := config(webhooks())
	seen := map[string]int{}
	for _, s := range shots(t, c, 2000) {
		name := "plain"
		if s.Variant == loadtest.Spoiled {
			name = c.Traffic.Negatives[s.Negative].Name
			if s.Expect != &c.Traffic.Negatives[s.Negative].Expect {
				t.Fatalf("%s expects %v", name, s.Expect)
			}
		}
		seen[name]++
		signature := s.Header.Get("X-Hub-Signature-256")
		good := map[string]bool{
			"signature": signature == signatureOf(s.Body),
			"unsigned":  signature != "",
			"body":      len(s.Body) <= 20<<10+1000,
			"json":      json.Valid(s.Body),
			"method":    s.Method == "POST",
			"path":      strings.HasPrefix(s.URL.Path, "/hooks/"),
		}
		if name == "method" { // and so without a body
			good["json"], good["signature"] = true, true
		}
		if name == "unsigned" {
			good["signature"] = true
		}
		for way, ok := range good {
			if ok == (way == name) {
				t.Errorf("%s: good in %s: %v", name, way, ok)
			}
		}
	}
	if len(seen) != 7 {
		t.Errorf("saw %v", seen)
	}
}

func TestPushesAreAsLongAsAskedAndTellTheirCommit(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, size := range []int64{2 << 10, 3000, 7 << 10, 7<<10 + 1, 64 << 10, 2 << 20, 25 << 20} {
		traffic := webhooks()
		traffic.Request.Body.MinSize, traffic.Request.Body.MaxSize = size, size
		traffic.Replay, traffic.Negatives = loadtest.Replay{}, nil
		s := shots(t, config(traffic), 1)[0]
		var push struct {
			Ref        string
			After      string
			Commits    []struct{ ID string }
			HeadCommit struct {
				ID       string
				Modified []string
			} `json:"head_commit"`
			Repository struct {
				FullName string `json:"full_name"`
			}
		}
		if err := json.Unmarshal(s.Body, &push); err != nil {
			t.Fatalf("%d bytes: %v in %s", size, err, s.Body[:min(len(s.Body), 2000)])
		}
		if int64(len(s.Body)) != size {
			t.Errorf("asked for %d bytes, got %d", size, len(s.Body))
		}
		if push.Ref != "refs/heads/main" || push.Repository.FullName != "acme/shop" || push.After != push.HeadCommit.ID ||
			push.Commits[len(push.Commits)-1].ID != push.After || len(push.Commits) > 2048 {
			t.Errorf("got %d commits, %+v", len(push.Commits), push.Ref)
		}
		for _, c := range push.Commits {
			if len(c.ID) != 40 || ids[c.ID] && size != 2<<10 {
				t.Fatalf("%d bytes: commit %q is not fresh", size, c.ID)
			}
			ids[c.ID] = true
		}
		clear(ids)
	}
}

func TestGivenCommitsArePushedInTurnAndThenTheLastAgain(t *testing.T) {
	t.Parallel()
	traffic := webhooks()
	traffic.Replay, traffic.Negatives = loadtest.Replay{}, nil
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	traffic.Request.Body.Commits = []string{a, b}
	var got []string
	for _, s := range shots(t, config(traffic), 6) {
		var push struct{ After string }
		if err := json.Unmarshal(s.Body, &push); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimPrefix(s.URL.Path, "/hooks/")+" "+push.After[:1])
	}
	if diff := cmp.Diff([]string{"shop a", "till a", "shop b", "till b", "shop b", "till b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlaceholdersAreFilledIn(t *testing.T) {
	t.Parallel()
	traffic := &loadtest.Traffic{Name: "t", Request: loadtest.Request{
		Method: "PUT", Path: "/{{run}}/{{seq}}?q={{rand 5}}",
		Header: map[string][]string{"X-Id": {"<{{id}}>"}, "X-Run": {"{{ run }}-{{seq}}"}, "Host": {"example.org"}, "X-Fixed": {"1", "2"}},
		Body:   loadtest.Body{Text: `{"id":"{{id}}","n":{{seq}},"r":"{{rand 20}}"}`, MinSize: 200, MaxSize: 200},
	}}
	all := shots(t, config(traffic), 3)
	s := all[2]
	id := target.ID("r1", "t", 2)
	if s.Method != "PUT" || s.URL.Path != "/r1/2" || !regexp.MustCompile(`^q=[0-9a-f]{5}$`).MatchString(s.URL.RawQuery) || s.Host != "example.org" {
		t.Errorf("got %s %s at %s", s.Method, s.URL, s.Host)
	}
	if s.Header.Get("X-Id") != "<"+id+">" || s.Header.Get("X-Run") != "r1-2" || len(s.Header["X-Fixed"]) != 2 || s.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %v", s.Header)
	}
	if !regexp.MustCompile(`^{"id":"`+id+`","n":2,"r":"[0-9a-f]{20}"} +$`).Match(s.Body) || len(s.Body) != 200 {
		t.Errorf("got %q", s.Body)
	}
	if all[0].Header.Get("X-Id") == s.Header.Get("X-Id") {
		t.Error("requests share a header")
	}
}

func TestBodiesComeFromFilesAndNoise(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "body.tmpl")
	if err := os.WriteFile(file, []byte("n={{seq}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	traffic := &loadtest.Traffic{Name: "t", Request: loadtest.Request{Method: "POST", Path: "/", Body: loadtest.Body{File: file}}}
	if got := string(shots(t, config(traffic), 2)[1].Body); got != "n=1" {
		t.Errorf("got %q", got)
	}
	traffic.Request.Body = loadtest.Body{MinSize: 100, MaxSize: 200}
	lengths := map[int]bool{}
	for _, s := range shots(t, config(traffic), 100) {
		lengths[len(s.Body)] = true
		if len(s.Body) < 100 || len(s.Body) > 200 {
			t.Fatalf("%d bytes", len(s.Body))
		}
	}
	if len(lengths) < 20 {
		t.Errorf("only %d different lengths", len(lengths))
	}
}

func TestWhatIsWrongWithATrafficIsSaid(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*loadtest.Traffic){
		`traffic "webhooks": path "hooks" does not begin with /`:                 func(t *loadtest.Traffic) { t.Request.Path = "hooks" },
		`{{nonce}} stands for nothing; there are {{run}}`:                        func(t *loadtest.Traffic) { t.Request.Path = "/{{nonce}}" },
		`"{{seq" has no end; write }} after it`:                                  func(t *loadtest.Traffic) { t.Request.Path = "/{{seq" },
		`{{rand x}} asks for x random digits; write a number from 1 to 4096`:     func(t *loadtest.Traffic) { t.Request.Path = "/{{rand x}}" },
		`header X: {{rand 0}} asks for 0`:                                        func(t *loadtest.Traffic) { t.Request.Header = map[string][]string{"X": {"{{rand 0}}"}} },
		`header "X" holds the end of a line`:                                     func(t *loadtest.Traffic) { t.Request.Header = map[string][]string{"X": {"a\nb"}} },
		`{{project}} stands for nothing; write projects`:                         func(t *loadtest.Traffic) { t.Request.Projects = nil; t.Request.Body = loadtest.Body{} },
		`there is no scheme "md5"`:                                               func(t *loadtest.Traffic) { t.Request.Sign.Scheme = "md5" },
		`github-sha256 needs a header`:                                           func(t *loadtest.Traffic) { t.Request.Sign.Header = "" },
		`negative "signature": mutate: signature needs requests that are signed`: func(t *loadtest.Traffic) { t.Request.Sign = loadtest.Sign{} },
		`negative "json": mutate: there is no "eat"; write signature, unsigned`:  func(t *loadtest.Traffic) { t.Negatives[3].Mutate.Kind = "eat" },
		`negative "body": mutate: a body of 0 bytes; write body(11MiB)`:          func(t *loadtest.Traffic) { t.Negatives[2].Mutate.Size = 0 },
		`replay and negatives have 112% of the requests`:                         func(t *loadtest.Traffic) { t.Replay.Share = 1 },
		`negative "json": a share of -1`:                                         func(t *loadtest.Traffic) { t.Negatives[3].Share = -1 },
		`body: repository "acme" is none; write owner/name`:                      func(t *loadtest.Traffic) { t.Request.Body.Repository = "acme" },
		`repository "a/{{seq}}": of placeholders, it may hold {{project}} only`:  func(t *loadtest.Traffic) { t.Request.Body.Repository = "a/{{seq}}" },
		`commit "abc" is none; write 40 hex digits`:                              func(t *loadtest.Traffic) { t.Request.Body.Commits = []string{"abc"} },
		`there are no pushes of "svn"; write github`:                             func(t *loadtest.Traffic) { t.Request.Body.Push = "svn" },
		`read body: open /nowhere/at/all`:                                        func(t *loadtest.Traffic) { t.Request.Body = loadtest.Body{File: "/nowhere/at/all"} },
		`body: -1 to 20480 bytes; write sizes up to 64MiB`:                       func(t *loadtest.Traffic) { t.Request.Body.MinSize = -1 },
		`header Accept has placeholders and several values; write one`:           func(t *loadtest.Traffic) { t.Request.Header = map[string][]string{"Accept": {"{{seq}}", "b"}} },
		`path: parse "http://127.0.0.1:8080/%zz": invalid URL escape "%zz"`:      func(t *loadtest.Traffic) { t.Request.Path = "/%zz" },
	} {
		traffic := webhooks()
		spoil(traffic)
		if _, err := target.New(config(traffic)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s\n got %v", want, err)
		}
	}
	c := config(webhooks())
	c.BaseURL = "127.0.0.1:80"
	if _, err := target.New(c); err == nil || !strings.Contains(err.Error(), `base_url "127.0.0.1:80" is none; write http://host:port`) {
		t.Errorf("got %v", err)
	}
}
