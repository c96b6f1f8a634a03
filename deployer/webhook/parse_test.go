package webhook_test

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestParseReadsEveryPayloadAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		t.Run(string(s.provider)+"/"+s.name, func(t *testing.T) {
			t.Parallel()
			got, err := webhook.Parse(s.provider, s.request())
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				indented, err := json.MarshalIndent(got, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(s.golden(), append(indented, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(s.golden())
			if err != nil {
				t.Fatal(err)
			}
			var want deployer.Event
			if err := json.Unmarshal(golden, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("event differs from %s (-want +got):\n%s", s.golden(), diff)
			}
		})
	}
}

func TestFormEncodedDeliveriesSayTheSameAsJSON(t *testing.T) {
	t.Parallel()
	for _, p := range []deployer.Provider{deployer.GitHub, deployer.Gitea, deployer.Forgejo, deployer.Gogs} {
		s := load(t, p, "push")
		plain, err := webhook.Parse(p, s.request())
		if err != nil {
			t.Fatal(err)
		}
		r := s.request()
		r.Body = []byte("other=1&" + url.Values{"payload": {string(s.body)}}.Encode())
		r.ContentType = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
		form, err := webhook.Parse(p, r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, form); diff != "" {
			t.Errorf("%s: event of the form differs (-json +form):\n%s", p, diff)
		}
	}
}
