package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

var now = time.Date(2026, 3, 2, 9, 15, 30, 0, time.UTC)

const secret = "It's a Secret to Everybody"

func secrets(values ...string) []deployer.Secret {
	var all []deployer.Secret
	for _, v := range values {
		all = append(all, deployer.NewSecret(v))
	}
	return all
}

// headers is what a request in a test carries, by canonical name.
type headers map[string]string

func header(pairs ...string) headers {
	h := headers{}
	for i := 0; i < len(pairs); i += 2 {
		h[textproto.CanonicalMIMEHeaderKey(pairs[i])] = pairs[i+1]
	}
	return h
}

func (h headers) get(name string) string { return h[textproto.CanonicalMIMEHeaderKey(name)] }

func request(h headers, body string) webhook.Request {
	return webhook.Request{Header: h.get, Body: []byte(body), ContentType: "application/json", Now: now}
}

func sum(key string, parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

func hexSum(key string, parts ...string) string { return hex.EncodeToString(sum(key, parts...)) }

// sample is one recorded delivery: testdata/<provider>/<name>.json, and
// <name>.header beside it, one header a line.
type sample struct {
	provider deployer.Provider
	name     string
	headers  headers
	body     []byte
}

func (s sample) request() webhook.Request { return request(s.headers, string(s.body)) }

func (s sample) golden() string {
	return filepath.Join("testdata", string(s.provider), s.name+".golden")
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	var all []sample
	for _, p := range deployer.Providers() {
		files, err := filepath.Glob(filepath.Join("testdata", string(p), "*.json"))
		if err != nil || len(files) == 0 {
			tb.Fatalf("no payloads of %s: %v", p, err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			all = append(all, load(tb, p, name))
		}
	}
	return all
}

func load(tb testing.TB, p deployer.Provider, name string) sample {
	tb.Helper()
	base := filepath.Join("testdata", string(p), name)
	body, err := os.ReadFile(base + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	s := sample{provider: p, name: name, headers: header(), body: body}
	lines, err := os.ReadFile(base + ".header")
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		name, value, _ := strings.Cut(string(bytes.TrimSpace(line)), ": ")
		s.headers[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	return s
}

// add sets one more header.
func (h headers) add(name, value string) { h[textproto.CanonicalMIMEHeaderKey(name)] = value }
