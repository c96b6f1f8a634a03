package recording

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
)

// line is a delivery as it is written. What reads it is in another area, so the
// names are a contract; they are described in the package's comment.
type line struct {
	At       int64             `json:"at_ns"`
	Time     time.Time         `json:"time"`
	Hook     string            `json:"hook"`
	Provider deployer.Provider `json:"provider"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers,omitempty"`
	Event    string            `json:"event,omitempty"`
	ID       string            `json:"id,omitempty"`
	Proof    deployer.Proof    `json:"proof"`
	Refused  deployer.Code     `json:"refused,omitempty"`
	Bytes    int               `json:"bytes"`
	Cut      bool              `json:"cut,omitempty"`
	Body     string            `json:"body,omitempty"`
	Base64   string            `json:"body_base64,omitempty"`
}

// kept are the headers that say what a delivery is. Whatever proves a secret is
// not among them, nor is anything that could.
func kept() []string {
	return []string{
		"Content-Type", "User-Agent", "Idempotency-Key", "Webhook-Id",
		"X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID",
		"X-Gitlab-Event", "X-Gitlab-Event-UUID", "X-Gitlab-Instance",
		"X-Gitea-Event", "X-Gitea-Event-Type", "X-Gitea-Delivery",
		"X-Forgejo-Event", "X-Forgejo-Event-Type", "X-Forgejo-Delivery",
		"X-Gogs-Event", "X-Gogs-Delivery",
		"X-Event-Key", "X-Request-UUID", "X-Request-Id", "X-Hook-UUID", "X-Attempt-Number",
	}
}

const longestHeader = 1 << 10 // bytes of a value

// keep copies the headers that are on the list.
func keep(header func(string) string) map[string]string {
	out := map[string]string{}
	for _, name := range kept() {
		if value := header(name); value != "" && len(value) <= longestHeader {
			out[name] = strings.Clone(value)
		}
	}
	return out
}

// encode returns e as one line, without secrets.
func (r *Recorder) encode(e *entry) ([]byte, error) {
	redact := r.config.Redactor
	l := line{
		At: int64(e.ReceivedAt.Sub(r.first)), Time: e.ReceivedAt.UTC(), Hook: e.Hook, Provider: e.Provider,
		Method: e.Method, Path: redact.String(e.Path), Headers: e.headers, Event: redact.String(e.Event), ID: redact.String(e.ExternalID),
		Proof: e.Proof, Refused: e.Refused, Bytes: e.bytes, Cut: e.bytes > len(e.Body),
	}
	for name, value := range l.Headers {
		l.Headers[name] = redact.String(value)
	}
	if body := redact.Redact(e.Body); utf8.Valid(body) {
		l.Body = string(body)
	} else {
		l.Base64 = base64.StdEncoding.EncodeToString(body)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return nil, fmt.Errorf("encode the delivery: %w", err)
	}
	return out.Bytes(), nil
}
