package webhook_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

// FuzzParse holds that what Parse returns is bounded and printable, whatever
// the body, and that only JSON is accepted.
func FuzzParse(f *testing.F) {
	index := map[deployer.Provider]uint8{}
	for i, p := range deployer.Providers() {
		index[p] = uint8(i)
	}
	for _, s := range samples(f) {
		for _, name := range []string{"X-GitHub-Event", "X-Gitlab-Event", "X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event", "X-Event-Key"} {
			if event := s.headers.get(name); event != "" {
				f.Add(index[s.provider], event, s.body, false)
			}
		}
		f.Add(index[s.provider], "push", s.body, false)
	}
	f.Add(uint8(0), "push", []byte("payload=%7B%22ref%22:%22refs/heads/main%22%7D"), true)
	f.Fuzz(func(t *testing.T, provider uint8, event string, body []byte, form bool) {
		p := deployer.Providers()[int(provider)%len(deployer.Providers())]
		r := webhook.Request{Header: func(string) string { return event }, Body: body, Now: now}
		if form {
			r.ContentType = "application/x-www-form-urlencoded"
		}
		e, err := webhook.Parse(p, r)
		if err != nil {
			if deployer.CodeOf(err) != deployer.CodeInvalid {
				t.Fatalf("%s: %v is not %s", p, err, deployer.CodeInvalid)
			}
			return
		}
		if e.Kind == deployer.EventPush && !form && !json.Valid(body) {
			t.Fatalf("%s: pushes from what is not JSON", p)
		}
		if (e.Kind == deployer.EventPush) != (len(e.Pushes) > 0) {
			t.Fatalf("%s: kind %q with %d pushes", p, e.Kind, len(e.Pushes))
		}
		texts := map[string]int{e.Name: 100, e.ID: 200}
		if len(e.Pushes) > 1_000 {
			t.Fatalf("%s: %d pushes", p, len(e.Pushes))
		}
		for _, push := range e.Pushes {
			check(t, push, p)
			for text, limit := range map[string]int{
				push.Repository: 512, push.Ref: 512, push.Before: 64, push.After: 64, push.Digest: 200, push.Message: 200, push.Author: 200,
			} {
				texts[text] = max(texts[text], limit)
			}
			for _, path := range push.Paths {
				texts[path] = max(texts[path], 4_096)
			}
		}
		for text, limit := range texts {
			if len(text) > limit || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b") {
				t.Fatalf("%s: %q is not clean, or longer than %d", p, text, limit)
			}
		}
	})
}

// check holds one push against what its fields promise each other.
func check(t *testing.T, push deployer.Push, p deployer.Provider) {
	t.Helper()
	switch {
	case push.Ref == "":
		t.Fatalf("%s: a push without a ref", p)
	case push.Deleted && push.After != "", push.Created && push.Before != "":
		t.Fatalf("%s: %+v has a commit where there is none", p, push)
	case !push.Complete && push.Paths != nil, len(push.Paths) > 10_000:
		t.Fatalf("%s: %d paths, complete %v", p, len(push.Paths), push.Complete)
	case push.Complete && (push.Forced || push.Created || push.Deleted):
		t.Fatalf("%s: complete paths of %+v", p, push)
	}
	if ok, _ := everything.Wants(push); ok && !push.Image() && (!deployer.ValidRef(push.Ref) || !deployer.ValidCommit(push.After)) {
		t.Fatalf("%s: wants %+v", p, push)
	}
}

// FuzzVerify holds that nothing verifies but what was made with the secret: the
// fuzzer knows every header, the body and the path, and never the key.
func FuzzVerify(f *testing.F) {
	key := "only this test knows it, and the fuzzer cannot see it: 7b1e0c"
	for i, p := range deployer.Providers() {
		for _, r := range proofs(p, "a guess") {
			for _, name := range []string{
				"X-Hub-Signature-256", "X-Hub-Signature", "X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature",
				"X-Signature-256", "X-Gitlab-Token", "Authorization", "webhook-signature",
			} {
				if value := r.Header(name); value != "" {
					f.Add(uint8(i), value, r.Header("webhook-id"), r.Token, r.Body, false)
				}
			}
		}
		f.Add(uint8(i), "sha256=", "1", "", []byte("{}"), true)
	}
	f.Add(uint8(3), "sha256="+strings.Repeat("0", 64), "1772442930", "[redacted]", []byte("payload=%7B%7D"), true)
	f.Fuzz(func(t *testing.T, provider uint8, proof, id, token string, body []byte, form bool) {
		p := deployer.Providers()[int(provider)%len(deployer.Providers())]
		r := webhook.Request{Body: body, Token: token, Now: now}
		if form {
			r.ContentType = "application/x-www-form-urlencoded"
		}
		r.Header = func(name string) string {
			switch name {
			case "webhook-timestamp":
				return "1772442930"
			case "webhook-id":
				return id
			}
			return proof
		}
		for _, active := range [][]deployer.Secret{secrets(key), secrets("", key, "whsec_"+key), secrets(""), nil} {
			if err := webhook.Verify(p, active, r); deployer.CodeOf(err) != deployer.CodeUnauthorized {
				t.Fatalf("%s: %q verified %q: %v", p, proof, body, err)
			}
		}
	})
}
