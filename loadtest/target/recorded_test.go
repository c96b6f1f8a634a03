package target_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/target"
)

func hmacOf(message string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// recorded is a traffic of requests that came in once.
func recorded(scheme, header string, all ...loadtest.Recorded) *loadtest.Traffic {
	return &loadtest.Traffic{
		Name: "shop",
		Request: loadtest.Request{
			ID: loadtest.ID{Header: "X-GitHub-Delivery"}, Sign: loadtest.Sign{Scheme: scheme, Header: header, Secret: secret}, Recorded: all,
		},
		Expect: loadtest.Expect{Status: []int{200, 202}},
		Negatives: []loadtest.Negative{
			{Name: "unverified", Mutate: loadtest.Mutation{Kind: "signature"}, Expect: loadtest.Expect{Status: []int{401}}},
			{Name: "malformed", Mutate: loadtest.Mutation{Kind: "recorded"}, Expect: loadtest.Expect{Status: []int{400}}},
			{Name: "unsigned", Mutate: loadtest.Mutation{Kind: "unsigned"}, Expect: loadtest.Expect{Status: []int{401}}},
		},
	}
}

func one(of uint64, body string) loadtest.Recorded {
	return loadtest.Recorded{
		Method: "POST", Path: "/hooks/shop", Of: of, Body: []byte(body),
		Header: http.Header{"X-Github-Event": {"push"}, "X-Github-Delivery": {"old"}, "Content-Type": {"application/json"}},
	}
}

func TestRecordedRequestsAreSentInTheirOrderAndAgainFromTheFirst(t *testing.T) {
	t.Parallel()
	again, bad, broken, bare := one(0, "b"), one(2, "c"), one(3, "d"), one(4, "e")
	again.Variant = loadtest.Repeated
	bad.Variant, broken.Variant, bare.Variant = loadtest.Spoiled, loadtest.Spoiled, loadtest.Spoiled
	bad.Negative, broken.Negative, bare.Negative = 0, 1, 2
	c := config(recorded("github-sha256", "X-Hub-Signature-256", one(0, "a"), again, bad, broken, bare))
	all := shots(t, c, 7)
	for i, want := range []struct {
		body   string
		of     uint64
		status int
		signed string // by what
	}{{"a", 0, 200, "good"}, {"b", 0, 200, "good"}, {"c", 2, 401, "bad"}, {"d", 3, 400, "good"}, {"e", 4, 401, "none"}, {"a", 5, 200, "good"}, {"b", 5, 200, "good"}} {
		s := all[i]
		signed := "bad"
		switch s.Header.Get("X-Hub-Signature-256") {
		case "sha256=" + hmacOf(want.body):
			signed = "good"
		case "":
			signed = "none"
		}
		if string(s.Body) != want.body || s.Of != want.of || s.Expect.Status[0] != want.status || signed != want.signed {
			t.Errorf("%d: %s of %d expects %v, signed %s; want %+v", i, s.Body, s.Of, s.Expect.Status, signed, want)
		}
		id := target.ID("r1", "shop", want.of)
		if s.ID != id || s.Header.Get("X-GitHub-Delivery") != id || target.IDs(&loadtest.Scenario{Traffic: []loadtest.Traffic{*c.Traffic}})("r1", "shop", s.Of) != id {
			t.Errorf("%d: id %s in %v, want %s", i, s.ID, s.Header, id)
		}
		if s.Method != "POST" || s.URL.String() != "http://127.0.0.1:8080/hooks/shop" || s.Header.Get("X-GitHub-Event") != "push" || s.Header.Get("User-Agent") == "" {
			t.Errorf("%d: %s %s %v", i, s.Method, s.URL, s.Header)
		}
	}
	if c.Traffic.Request.Recorded[0].Header.Get("X-GitHub-Delivery") != "old" {
		t.Error("the recording was changed")
	}
}

func TestRecordedRequestsKeepTheirIDsIfTheyAreGivenThem(t *testing.T) {
	t.Parallel()
	first, second := one(0, "a"), one(1, "b")
	first.ID, second.ID = "known as this", "old"
	c := config(recorded("token", "X-Gitlab-Token", first, second))
	for i, want := range []string{"known as this", "old"} {
		s := shots(t, c, 2)[i]
		if s.ID != want || s.Header.Get("X-GitHub-Delivery") != "old" || s.Header.Get("X-Gitlab-Token") != secret {
			t.Errorf("%d: %s, %v", i, s.ID, s.Header)
		}
		if got := target.IDs(&loadtest.Scenario{Traffic: []loadtest.Traffic{*c.Traffic}})("r1", "shop", uint64(i)); got != want {
			t.Errorf("the ledger looks for %s", got)
		}
	}
	if got := target.IDs(&loadtest.Scenario{})("r1", "other", 3); got != target.ID("r1", "other", 3) {
		t.Errorf("another traffic has the id %s", got)
	}
}

func TestAnIDInTheBodyIsReplacedAndSigned(t *testing.T) {
	t.Parallel()
	r := one(0, `{"id": "old", "ref": "x"}`)
	r.IDAt = [2]int{7, 12}
	s := shots(t, config(recorded("hmac-sha256-hex", "X-Signature", r)), 1)[0]
	want := `{"id": "` + s.ID + `", "ref": "x"}`
	if string(s.Body) != want || s.Header.Get("X-Signature") != hmacOf(want) || s.ID == "old" {
		t.Errorf("got %s, %v", s.Body, s.Header)
	}
}

func TestEverySchemeProvesTheSecretAndSpoilsIt(t *testing.T) {
	t.Parallel()
	form := "a=b&payload=" + url.QueryEscape(`{"ref":"a b"}`)
	for scheme, want := range map[string]string{
		"github-sha256":      "sha256=" + hmacOf(form),
		"hmac-sha256-hex":    hmacOf(form),
		"payload-sha256-hex": hmacOf(`{"ref":"a b"}`),
		"token":              secret,
		"bearer":             "Bearer " + secret,
	} {
		good, bad := one(0, form), one(1, form)
		good.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
		bad.Header, bad.Variant = good.Header, loadtest.Spoiled
		all := shots(t, config(recorded(scheme, "X-Proof", good, bad)), 2)
		if got := all[0].Header.Get("X-Proof"); got != want {
			t.Errorf("%s: %s, want %s", scheme, got, want)
		}
		if got := all[1].Header.Get("X-Proof"); got == want || len(got) != len(want) {
			t.Errorf("%s, spoiled: %s", scheme, got)
		}
	}
	good, bad := one(0, "{}"), one(1, "{}")
	bad.Variant = loadtest.Spoiled
	all := shots(t, config(recorded("path", "", good, bad)), 2)
	if got := all[0].URL.Path; got != "/hooks/shop/"+secret {
		t.Errorf("path: %s", got)
	}
	if got := all[1].URL.Path; got == "/hooks/shop/"+secret || len(got) != len("/hooks/shop/"+secret) {
		t.Errorf("path, spoiled: %s", got)
	}
	if len(all[0].Header[""]) > 0 {
		t.Error("a header without a name")
	}
}

func TestWhatIsReadyOfARecordingIsWhatWouldHaveBeenBuilt(t *testing.T) {
	t.Parallel()
	var all []loadtest.Recorded
	for i := range 50 {
		r := one(uint64(i), `{"id":"old","n":"`+strings.Repeat("x", i)+`"}`)
		if i%3 == 0 {
			r.IDAt = [2]int{6, 11}
		}
		all = append(all, r)
	}
	c := config(recorded("github-sha256", "X-Hub-Signature-256", all...))
	c.Ring = 16
	m := load(t, c)
	fill(t, m)
	for seq, want := range shots(t, c, 500) {
		got, _ := m.Next(uint64(seq))
		if diff := cmp.Diff(want, got, wire); diff != "" {
			t.Fatalf("%d: %s", seq, diff)
		}
		m.Return(got)
	}
}

func TestWhatCannotBeReplayedIsSaid(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*loadtest.Traffic){
		"recorded request 1: what it repeats is not in the list":              func(t *loadtest.Traffic) { t.Request.Recorded[0].Of = 1 },
		"recorded request 1: it is spoiled in no way that the traffic has":    func(t *loadtest.Traffic) { t.Request.Recorded[0].Variant, t.Negatives = loadtest.Spoiled, nil },
		"recorded request 1: its id stands outside of its body":               func(t *loadtest.Traffic) { t.Request.Recorded[0].IDAt = [2]int{0, 9} },
		`recorded request 1: path "x" does not begin with /`:                  func(t *loadtest.Traffic) { t.Request.Recorded[0].Path = "x" },
		"recorded request 1: path: parse":                                     func(t *loadtest.Traffic) { t.Request.Recorded[0].Path = "/%zz" },
		`negative "unverified": recorded requests are not spoiled by json`:    func(t *loadtest.Traffic) { t.Negatives[0].Mutate.Kind = "json" },
		`negative "malformed": mutate: nothing is recorded`:                   func(t *loadtest.Traffic) { t.Request.Recorded, t.Request.Path = nil, "/" },
		"sign: path is for recorded requests; write the secret into the path": func(t *loadtest.Traffic) { t.Request.Recorded, t.Request.Sign.Scheme = nil, "path" },
		"sign: token needs a secret":                                          func(t *loadtest.Traffic) { t.Request.Sign = loadtest.Sign{Scheme: "token", Header: "X"} },
	} {
		traffic := recorded("github-sha256", "X-Hub-Signature-256", one(0, "a"))
		spoil(traffic)
		if _, err := target.New(config(traffic)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s\n got %v", want, err)
		}
	}
}
