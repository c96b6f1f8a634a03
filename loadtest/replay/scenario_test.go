package replay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
	"github.com/seadog/seadog/loadtest/replay"
	"github.com/seadog/seadog/loadtest/target"
)

func config(change ...func(*replay.Config)) replay.Config {
	c := replay.Config{Target: "http://127.0.0.1:8787", Speed: 1, Secret: func(string) string { return secret }}
	for _, f := range change {
		f(&c)
	}
	return c
}

func scenario(t *testing.T, r *replay.Recording, c replay.Config) *loadtest.Scenario {
	t.Helper()
	s, err := replay.Scenario(r, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Traffic { // what is planned can be sent
		if _, err := target.New(target.Config{Run: "r", BaseURL: s.Target.BaseURL, Traffic: &s.Traffic[i]}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// requests tells the requests of a traffic, each in a word or two.
func requests(tr *loadtest.Traffic) []string {
	var all []string
	for i, one := range tr.Request.Recorded {
		text := []string{"plain", "repeated", "spoiled"}[one.Variant]
		switch one.Variant {
		case loadtest.Repeated:
			text += " " + string(rune('0'+one.Of))
		case loadtest.Spoiled:
			text = tr.Negatives[one.Negative].Name
		case loadtest.Plain:
			if int(one.Of) != i {
				text = "plain, and not its own"
			}
		}
		if one.ID != "" {
			text += " as " + one.ID
		}
		all = append(all, text)
	}
	return all
}

func TestAHookIsATrafficAtItsPace(t *testing.T) {
	t.Parallel()
	r := read(t, line(1000), line(1400, "hook", "till"), line(3000), line(5000, "hook", "till", "provider", "gitlab"))
	s := scenario(t, r, config(func(c *replay.Config) { c.Speed = 4 }))
	var names []string
	for i, tr := range s.Traffic {
		schedule, err := pace.In(s, i, 0)
		if err != nil {
			t.Fatal(err)
		}
		name := tr.Name + " " + tr.Request.Sign.Scheme
		for n := uint64(0); ; n++ {
			at, ok := schedule.At(n)
			if !ok {
				break
			}
			name += " " + at.String()
		}
		names = append(names, name)
	}
	want := []string{"shop github-sha256 0s 500ms", "till github-sha256 100ms", "till.2 token 1s"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Length() != 2*time.Second || s.Target.BaseURL != "http://127.0.0.1:8787" || len(s.Thresholds) != 1 || s.Digest == "" {
		t.Errorf("got %+v", s)
	}
}

func TestWhatWasRefusedOrRepeatedIsSoAgain(t *testing.T) {
	t.Parallel()
	r := read(t,
		line(0, "id", "a"), line(1, "id", "b"), line(2, "id", "a"), line(3, "id", nil),
		line(4, "id", nil, "proof", "bad", "refused", "unauthorized"), line(5, "id", nil, "refused", "invalid"), line(6, "id", "a"))
	want := []string{"plain", "plain", "repeated 0", "plain", "unverified", "malformed", "repeated 0"}
	if diff := cmp.Diff(want, requests(&scenario(t, r, config()).Traffic[0])); diff != "" {
		t.Errorf("fresh ids (-want +got):\n%s", diff)
	}
	want = []string{"plain as a", "plain as b", "repeated 0 as a", "plain", "unverified", "malformed", "repeated 0 as a"}
	if diff := cmp.Diff(want, requests(&scenario(t, r, config(func(c *replay.Config) { c.Same = true })).Traffic[0])); diff != "" {
		t.Errorf("the same ids (-want +got):\n%s", diff)
	}
}

func TestOnlyWhatCanBeToldApartIsBooked(t *testing.T) {
	t.Parallel()
	r := read(t,
		line(0, "id", "a"), line(1, "hook", "till", "id", "a"), line(2, "hook", "till", "id", "b"), // the forge's event, to two hooks
		line(3, "hook", "hub", "provider", "docker-hub", "id", nil),
		line(4, "hook", "reg", "provider", "registry", "id", "x", "body", `{"events":[{"id":"y"},{"id":"x"}]}`),
		line(5, "hook", "reg", "provider", "registry", "id", nil, "body", `{"events":[{}]}`))
	booked := func(s *loadtest.Scenario) (names []string) {
		for _, tr := range s.Traffic {
			names = append(names, tr.Name+" "+tr.Request.ID.Header)
		}
		return names
	}
	want := []string{"hub ", "reg Idempotency-Key", "reg.2 ", "shop X-GitHub-Delivery", "till X-GitHub-Delivery"}
	if diff := cmp.Diff(want, booked(scenario(t, r, config()))); diff != "" {
		t.Errorf("fresh ids (-want +got):\n%s", diff)
	}
	want = append(want, "till.2 ")
	if diff := cmp.Diff(want, booked(scenario(t, r, config(func(c *replay.Config) { c.Same = true })))); diff != "" {
		t.Errorf("the same ids (-want +got):\n%s", diff)
	}
}

func TestIDsInBodiesAreFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"ref":"x","id":"id-0"}`:                         `"id-0"`,
		`{ "repository":{"id":1}, "id" : "é\"" , "a":[]}`: `"é\""`,
		`{"id":"first","id":"last"}`:                      `"last"`,
		`{"id":7}`:                                        "",
		`{"nested":{"id":"no"},"list":[{"id":"no"}]}`:     "",
		`{"id":"x"`:                                       "",
		`["id","x"]`:                                      "",
		``:                                                "",
	} {
		r := read(t, line(0, "provider", "generic", "body", body))
		one := scenario(t, r, config()).Traffic[0].Request.Recorded[0]
		if got := body[one.IDAt[0]:one.IDAt[1]]; got != want {
			t.Errorf("%s: %s at %v, want %s", body, got, one.IDAt, want)
		}
	}
	body := `{"x":{"id":"id-0"},"events":[{"target":{"id":"id-0"},"id":"other"},7,{"id":"id-0"},{"id":"id-0"}]}`
	one := scenario(t, read(t, line(0, "provider", "registry", "body", body)), config()).Traffic[0].Request.Recorded[0]
	if at := strings.Index(body, `{"id":"id-0"},{"id"`) + 6; one.IDAt != [2]int{at, at + 6} {
		t.Errorf("the event's id is at %v, want %d", one.IDAt, at)
	}
}

func TestWhatCannotBeSentAgainIsSaid(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	for want, test := range map[string]struct {
		lines  []string
		change func(*replay.Config)
	}{
		"hook shop: its deliveries were signed, and there is no secret": {[]string{line(0), line(1, "hook", "till", "proof", "none")}, func(c *replay.Config) { c.Secret = none }},
		`hook shop: the provider "svn" is not known here`:               {[]string{line(0, "provider", "svn")}, func(*replay.Config) {}},
		"0 is no speed; write how many times as fast":                   {[]string{line(0)}, func(c *replay.Config) { c.Speed = 0 }},
		"example.org is not this machine; load only what is yours":      {[]string{line(0)}, func(c *replay.Config) { c.Target = "http://example.org" }},
		"not an HTTP URL; write one like http://127.0.0.1:8080":         {[]string{line(0)}, func(c *replay.Config) { c.Target = "127.0.0.1:80" }},
		"has more than an address; write http://host:port":              {[]string{line(0)}, func(c *replay.Config) { c.Target = "http://127.0.0.1/x" }},
		"unknown metric respnse; did you mean response":                 {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"p99(respnse) < 1s"} }},
		"there is no scenario stop; did you mean shop":                  {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"max(response{scenario=stop}) < 1s"} }},
		"there is no phase steady":                                      {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"max(response) < 1s in steady"} }},
		"p99 needs 1000 samples, and 1 are planned":                     {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"p99(response) < 1s"} }},
		"nobody asks it; write target.ledger.url":                       {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"count(lost) == 0"} }},
		"server.goroutines":                                             {[]string{line(0)}, func(c *replay.Config) { c.Thresholds = []string{"max(server.goroutines) < 1"} }},
	} {
		if _, err := replay.Scenario(read(t, test.lines...), config(test.change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s\n got %v", want, err)
		}
	}
	path := file(t, t.TempDir(), "a.jsonl", line(0))
	r, err := replay.Read([]string{path}, replay.Selection{Hooks: []string{"till"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Scenario(r, config()); err == nil || err.Error() != "none of the 1 recorded deliveries is selected" {
		t.Errorf("got %v", err)
	}
	if _, err := replay.Scenario(read(t, line(0, "proof", "none"), line(1, "proof", "bad", "refused", "unauthorized")), config(func(c *replay.Config) { c.Secret = none })); err != nil {
		t.Errorf("nothing was signed: %v", err)
	}
	own := config(func(c *replay.Config) { c.Target, c.Own = "http://example.org", []string{"example.org"} })
	if _, err := replay.Scenario(read(t, line(0)), own); err != nil {
		t.Errorf("a host of one's own: %v", err)
	}
}
