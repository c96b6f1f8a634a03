package webhook_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

const body = `{"ref":"refs/heads/main"}`

// proofs returns, for every provider, every way to prove knowledge of key for body.
func proofs(p deployer.Provider, key string) []webhook.Request {
	mac := hexSum(key, body)
	with := func(pairs ...string) webhook.Request { return request(header(pairs...), body) }
	switch p {
	case deployer.GitHub:
		return []webhook.Request{with("X-Hub-Signature-256", "sha256="+mac)}
	case deployer.GitLab:
		return []webhook.Request{with("X-Gitlab-Token", key), standard(key, now)}
	case deployer.Gitea:
		return []webhook.Request{with("X-Gitea-Signature", mac), with("X-Hub-Signature-256", "sha256="+mac)}
	case deployer.Forgejo:
		return []webhook.Request{with("X-Forgejo-Signature", mac), with("X-Hub-Signature-256", "sha256="+mac)}
	case deployer.Gogs:
		return []webhook.Request{with("X-Gogs-Signature", mac), with("X-Hub-Signature-256", "sha256="+mac)}
	case deployer.BitbucketCloud, deployer.BitbucketServer:
		return []webhook.Request{with("X-Hub-Signature", "sha256="+mac)}
	case deployer.Registry:
		return []webhook.Request{with("Authorization", "Bearer "+key), with("Authorization", "bearer "+key)}
	case deployer.DockerHub:
		r := with()
		r.Token = key
		return []webhook.Request{r}
	case deployer.Generic:
		return []webhook.Request{with("X-Signature-256", "sha256="+mac), standard(key, now)}
	}
	return nil
}

// standard returns a request signed with raw key as Standard Webhooks has it.
func standard(key string, at time.Time) webhook.Request {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signature := base64.StdEncoding.EncodeToString(sum(key, "msg_1.", stamp, ".", body))
	return request(header("webhook-id", "msg_1", "webhook-timestamp", stamp, "webhook-signature", "v1,"+signature), body)
}

// signedBody reports whether a proof covers the body rather than being a plain secret.
func signedBody(r webhook.Request) bool {
	return r.Token == "" && r.Header("X-Gitlab-Token") == "" && r.Header("Authorization") == ""
}

func TestVerifyAcceptsAnyActiveSecret(t *testing.T) {
	t.Parallel()
	for _, p := range deployer.Providers() {
		for i, r := range proofs(p, secret) {
			for _, active := range [][]deployer.Secret{secrets(secret), secrets("next", secret), secrets("", secret, "old")} {
				if err := webhook.Verify(p, active, r); err != nil {
					t.Errorf("%s, proof %d, %d secrets: %v", p, i, len(active), err)
				}
			}
		}
	}
}

func TestVerifyRefusesEverythingElseAlike(t *testing.T) {
	t.Parallel()
	var message string
	refused := func(p deployer.Provider, what string, active []deployer.Secret, r webhook.Request) {
		t.Helper()
		err := webhook.Verify(p, active, r)
		var e *deployer.Error
		if !errors.As(err, &e) || e.Code != deployer.CodeUnauthorized || e.Hint != "" {
			t.Errorf("%s, %s: got %#v, want %s without a hint", p, what, err, deployer.CodeUnauthorized)
			return
		}
		if message == "" {
			message = e.Message
		}
		if e.Message != message {
			t.Errorf("%s, %s: message %q differs from %q", p, what, e.Message, message)
		}
		if e.Err == nil {
			t.Errorf("%s, %s: no cause for the log", p, what)
		}
		for _, s := range active {
			if !s.Empty() && strings.Contains(err.Error(), s.Reveal()) {
				t.Errorf("%s, %s: the error tells the secret: %v", p, what, err)
			}
		}
	}
	for _, p := range deployer.Providers() {
		refused(p, "nothing", secrets(secret), request(header(), body))
		for _, r := range proofs(p, secret) {
			refused(p, "another secret", secrets("hunter2"), r)
			refused(p, "no secret", nil, r)
			refused(p, "empty secrets", secrets("", ""), r)
			if signedBody(r) {
				tampered := r
				tampered.Body = append([]byte(body), ' ')
				refused(p, "tampered body", secrets(secret), tampered)
			}
		}
		for _, r := range proofs(p, "") {
			refused(p, "empty secret known", secrets(""), r)
			refused(p, "signed with nothing", secrets(secret), r)
		}
	}
	refused("sourceforge", "unknown provider", secrets(secret), proofs(deployer.GitHub, secret)[0])
}

func TestVerifyRefusesDigestsThatAreNone(t *testing.T) {
	t.Parallel()
	good := hexSum(secret, body)
	last := map[bool]string{true: "1", false: "0"}[good[63] == '0']
	names := []string{"X-Hub-Signature-256", "X-Hub-Signature", "X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature", "X-Signature-256"}
	for _, p := range deployer.Providers() {
		for _, value := range []string{
			"sha256=", "sha256", "=", "sha256=" + good[:63], "sha256=" + good + "0", "sha256=" + good[:62] + "zz", "sha256= " + good[1:],
			"sha1=" + good, "sha1=" + good[:40], "SHA256=" + good, "sha256=sha256=" + good, "sha256=" + strings.Repeat("0", 64),
			good[:63], good + "00", "sha256=" + good[:63] + last, good[:63] + last, strings.Repeat("é", 32), strings.Repeat("0", 64),
		} {
			h := header()
			for _, name := range names {
				h.add(name, value)
			}
			if err := webhook.Verify(p, secrets(secret), request(h, body)); deployer.CodeOf(err) != deployer.CodeUnauthorized {
				t.Errorf("%s accepts %q: %v", p, value, err)
			}
		}
	}
}

// A header that another provider uses proves nothing, even if it is right.
func TestVerifyTakesTheProviderFromTheCallerOnly(t *testing.T) {
	t.Parallel()
	shared := map[deployer.Provider][]string{
		deployer.GitHub: {"X-Hub-Signature-256"}, deployer.GitLab: {"X-Gitlab-Token"},
		deployer.Gitea: {"X-Gitea-Signature", "X-Hub-Signature-256"}, deployer.Forgejo: {"X-Forgejo-Signature", "X-Hub-Signature-256"},
		deployer.Gogs: {"X-Gogs-Signature", "X-Hub-Signature-256"}, deployer.BitbucketCloud: {"X-Hub-Signature"},
		deployer.BitbucketServer: {"X-Hub-Signature"}, deployer.Registry: {"Authorization"}, deployer.Generic: {"X-Signature-256"},
	}
	mac := hexSum(secret, body)
	values := map[string]string{
		"X-Hub-Signature-256": "sha256=" + mac, "X-Hub-Signature": "sha256=" + mac, "X-Signature-256": "sha256=" + mac,
		"X-Gitea-Signature": mac, "X-Forgejo-Signature": mac, "X-Gogs-Signature": mac,
		"X-Gitlab-Token": secret, "Authorization": "Bearer " + secret,
	}
	for _, p := range deployer.Providers() {
		for name, value := range values {
			want := false
			for _, own := range shared[p] {
				want = want || own == name
			}
			if got := webhook.Verify(p, secrets(secret), request(header(name, value), body)) == nil; got != want {
				t.Errorf("%s with %s: verified %v, want %v", p, name, got, want)
			}
		}
	}
}

func TestVerifyGitHubsPublishedVector(t *testing.T) {
	t.Parallel()
	r := request(header("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"), "Hello, World!")
	if err := webhook.Verify(deployer.GitHub, secrets("It's a Secret to Everybody"), r); err != nil {
		t.Error(err)
	}
}

func TestVerifyHoldsStandardWebhooksToFiveMinutes(t *testing.T) {
	t.Parallel()
	for _, p := range []deployer.Provider{deployer.GitLab, deployer.Generic} {
		for off, want := range map[time.Duration]bool{
			0: true, 5 * time.Minute: true, -5 * time.Minute: true,
			5*time.Minute + time.Second: false, -5*time.Minute - time.Second: false, -50 * 365 * 24 * time.Hour: false,
		} {
			if got := webhook.Verify(p, secrets(secret), standard(secret, now.Add(off))) == nil; got != want {
				t.Errorf("%s, %v off: verified %v, want %v", p, off, got, want)
			}
		}
	}
}

func TestVerifyStandardWebhooksCoversIDAndTime(t *testing.T) {
	t.Parallel()
	for _, change := range [][2]string{
		{"webhook-id", "msg_2"},
		{"webhook-id", ""},
		{"webhook-timestamp", strconv.FormatInt(now.Unix()+1, 10)},
		{"webhook-timestamp", ""},
		{"webhook-timestamp", "soon"},
		{"webhook-timestamp", "9223372036854775807"},
		{"webhook-timestamp", "-9223372036854775808"},
		{"webhook-timestamp", "99999999999999999999"},
		{"webhook-signature", "v1,"},
		{"webhook-signature", "v1a,AAAA"},
		{"webhook-signature", "v1,not base64"},
	} {
		r := standard(secret, now)
		h := header("webhook-id", r.Header("webhook-id"), "webhook-timestamp", r.Header("webhook-timestamp"), "webhook-signature", r.Header("webhook-signature"))
		h.add(change[0], change[1])
		r.Header = h.get
		if webhook.Verify(deployer.Generic, secrets(secret), r) == nil {
			t.Errorf("verified with %s: %q", change[0], change[1])
		}
	}
}

func TestVerifyStandardWebhooksKeysAndSignatures(t *testing.T) {
	t.Parallel()
	raw := "\x00\xff raw key bytes"
	encoded := "whsec_" + base64.StdEncoding.EncodeToString([]byte(raw))
	good := standard(raw, now).Header("webhook-signature")
	for _, p := range []deployer.Provider{deployer.GitLab, deployer.Generic} {
		r := standard(raw, now)
		if err := webhook.Verify(p, secrets(encoded), r); err != nil {
			t.Errorf("%s: a whsec_ secret: %v", p, err)
		}
		if webhook.Verify(p, secrets("whsec_###"), standard("whsec_###", now)) == nil {
			t.Errorf("%s: a whsec_ secret that is not base64 verified", p)
		}
		h := header("webhook-id", "msg_1", "webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		bad := "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32))
		for value, want := range map[string]bool{
			bad + " v1a,x " + good: true, good + " " + bad: true, bad + " " + bad: false,
			strings.Repeat(bad+" ", 16) + good: false, // that many are no rotation
			strings.TrimPrefix(good, "v1,"):    false,
		} {
			h.add("webhook-signature", value)
			r.Header = h.get
			if got := webhook.Verify(p, secrets(encoded), r) == nil; got != want {
				t.Errorf("%s: %d bytes of signatures: verified %v, want %v", p, len(value), got, want)
			}
		}
	}
}

func TestGitLabAcceptsItsTokenBesideASignatureOfAnother(t *testing.T) {
	t.Parallel()
	r := standard("signing token that nobody configured here", now)
	h := header("webhook-id", "msg_1", "webhook-timestamp", r.Header("webhook-timestamp"),
		"webhook-signature", r.Header("webhook-signature"), "X-Gitlab-Token", secret)
	r.Header = h.get
	if err := webhook.Verify(deployer.GitLab, secrets(secret), r); err != nil {
		t.Error(err)
	}
}

// GitHub signs the form as it is sent; Gitea and its relatives sign the JSON inside.
func TestVerifyFormsOverWhatTheirSenderSigns(t *testing.T) {
	t.Parallel()
	form := url.Values{"payload": {body + " ü+%&=;"}}.Encode()
	payload := body + " ü+%&=;"
	for _, test := range []struct {
		provider deployer.Provider
		header   string
		prefix   string
		signed   string
	}{
		{deployer.GitHub, "X-Hub-Signature-256", "sha256=", form},
		{deployer.Gitea, "X-Gitea-Signature", "", payload},
		{deployer.Forgejo, "X-Forgejo-Signature", "", payload},
		{deployer.Gogs, "X-Gogs-Signature", "", payload},
	} {
		for _, signed := range []string{form, payload} {
			r := request(header(test.header, test.prefix+hexSum(secret, signed)), form)
			r.ContentType = "application/x-www-form-urlencoded"
			if got, want := webhook.Verify(test.provider, secrets(secret), r) == nil, signed == test.signed; got != want {
				t.Errorf("%s: signature over %.12q verified %v, want %v", test.provider, signed, got, want)
			}
		}
		for _, form := range []string{"", "payload", "other=1", "payload=%", "payload=%4", "payload=%zz"} {
			r := request(header(test.header, test.prefix+hexSum(secret, "")), form)
			r.ContentType = "application/x-www-form-urlencoded"
			if test.provider != deployer.GitHub && webhook.Verify(test.provider, secrets(secret), r) == nil {
				t.Errorf("%s: form %q verified", test.provider, form)
			}
			r.Header = header("X-GitHub-Event", "push", "X-Gitea-Event", "push", "X-Forgejo-Event", "push", "X-Gogs-Event", "push").get
			if _, err := webhook.Parse(test.provider, r); deployer.CodeOf(err) != deployer.CodeInvalid {
				t.Errorf("%s: form %q parsed: %v", test.provider, form, err)
			}
		}
	}
}
