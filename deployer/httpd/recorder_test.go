package httpd_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// tape keeps what a recorder is given, in the words that matter here.
type tape struct {
	mu   sync.Mutex
	seen []string
}

func (k *tape) Record(d deployer.RawDelivery) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, strings.Join([]string{
		d.Hook, string(d.Provider), d.Method, d.Path, d.Header("X-GitHub-Event"), d.Event, d.ExternalID,
		string(d.Proof), string(d.Refused), string(d.Body),
	}, "|"))
	if d.ReceivedAt.IsZero() {
		k.seen = append(k.seen, "received at no time")
	}
}

func TestWhatReachedVerificationIsRecorded(t *testing.T) {
	t.Parallel()
	var got tape
	s := start(t, func(c *httpd.Config) { c.Recorder = &got })
	ping := `{"zen":"Half measures are as bad as nothing at all.","hook_id":1}`
	s.deliver("ping", "id-1", []byte(ping))
	s.deliver("push", "id-2", []byte(`{"ref":`))
	s.do("POST", "/hooks/gh?token=hidden", strings.NewReader("x"), "X-GitHub-Event", "push", "X-Hub-Signature-256", sign([]byte("y")))
	hub := `{"push_data":{"tag":"latest"},"repository":{"repo_name":"acme/cache"}}`
	s.do("POST", "/hooks/hub/"+secret, strings.NewReader(hub))
	s.do("POST", "/hooks/hub/wrong", strings.NewReader(hub))
	s.do("POST", "/hooks/nowhere", strings.NewReader(ping))
	s.do("GET", "/healthz", nil)
	want := []string{
		"gh|github|POST|/hooks/gh|ping|ping|id-1|good||" + ping,
		`gh|github|POST|/hooks/gh|push|||good|invalid|{"ref":`,
		"gh|github|POST|/hooks/gh|push|||bad|unauthorized|x",
		"hub|docker-hub|POST|/hooks/hub||push||good||" + hub,
		"hub|docker-hub|POST|/hooks/hub||||bad|unauthorized|" + hub,
	}
	if diff := cmp.Diff(want, got.seen); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestADeliveryThatNobodyHasToProveIsRecordedAsSuch(t *testing.T) {
	t.Parallel()
	var got tape
	s := start(t, func(c *httpd.Config) {
		c.Recorder, c.Tokens, c.Insecure = &got, nil, true
		c.Hooks[0].Secrets = nil
	})
	s.do("POST", "/hooks/gh", strings.NewReader("{}"), "X-GitHub-Event", "ping", "X-GitHub-Delivery", "id-1")
	if diff := cmp.Diff([]string{"gh|github|POST|/hooks/gh|ping|ping|id-1|none||{}"}, got.seen); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}
