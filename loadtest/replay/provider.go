package replay

import (
	"bytes"
	"encoding/json"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/target"
)

// provider is how one kind of sender proves its secret, and where it says which
// delivery one is. Where there are several ways, it is one that every receiver takes.
type provider struct {
	scheme string
	header string // of the proof
	id     string // header of the id; "": there is none
	// find returns where in a body an id stands; nil: it never does.
	find func(body []byte, id string) [2]int
}

// providers are those that a recording may name.
func providers() map[string]provider {
	return map[string]provider{
		"github":           {scheme: target.SignGitHub, header: "X-Hub-Signature-256", id: "X-GitHub-Delivery"},
		"gitlab":           {scheme: target.SignToken, header: "X-Gitlab-Token", id: "Idempotency-Key"},
		"gitea":            {scheme: target.SignPayload, header: "X-Gitea-Signature", id: "X-Gitea-Delivery"},
		"forgejo":          {scheme: target.SignPayload, header: "X-Forgejo-Signature", id: "X-Forgejo-Delivery"},
		"gogs":             {scheme: target.SignPayload, header: "X-Gogs-Signature", id: "X-Gogs-Delivery"},
		"bitbucket-cloud":  {scheme: target.SignGitHub, header: "X-Hub-Signature", id: "X-Request-UUID"},
		"bitbucket-server": {scheme: target.SignGitHub, header: "X-Hub-Signature", id: "X-Request-Id"},
		"docker-hub":       {scheme: target.SignPath},
		// A registry has its ids in the body only. The header says nothing to the
		// receiver; it is how the load tester is told that there are ids.
		"registry": {scheme: target.SignBearer, header: "Authorization", id: "Idempotency-Key", find: findEvent},
		"generic":  {scheme: target.SignGitHub, header: "X-Signature-256", id: "Idempotency-Key", find: findTop},
	}
}

// sign returns how requests are signed with a secret.
func (p *provider) sign(secret string) loadtest.Sign {
	if secret == "" {
		return loadtest.Sign{}
	}
	return loadtest.Sign{Scheme: p.scheme, Header: p.header, Secret: secret}
}

// findTop returns where the member "id" of an object stands, whatever it is.
func findTop(body []byte, _ string) [2]int {
	w := newWalk(body)
	var at [2]int
	w.object(func(key string) {
		if from, to, text := w.value(); key == "id" && text != nil {
			at = [2]int{from, to} // of several, receivers take the last
		}
	})
	if w.err != nil {
		return [2]int{}
	}
	return at
}

// findEvent returns where that id of an event stands, in an envelope of a registry.
func findEvent(body []byte, id string) [2]int {
	w := newWalk(body)
	var at [2]int
	w.object(func(key string) {
		if key != "events" {
			w.value()
			return
		}
		w.array(func() {
			w.object(func(key string) {
				from, to, text := w.value()
				if key == "id" && text != nil && *text == id && at == [2]int{} {
					at = [2]int{from, to}
				}
			})
		})
	})
	if w.err != nil {
		return [2]int{}
	}
	return at
}

// walk goes through a JSON text once and knows where it is.
type walk struct {
	body []byte
	dec  *json.Decoder
	err  error
}

func newWalk(body []byte) *walk {
	return &walk{body: body, dec: json.NewDecoder(bytes.NewReader(body))}
}

func (w *walk) token() json.Token {
	if w.err != nil {
		return nil
	}
	t, err := w.dec.Token()
	w.err = err
	return t
}

// object calls f for every member of the object at hand; f takes its value. What
// is no object is passed over.
func (w *walk) object(f func(key string)) {
	w.within('{', func() {
		key, _ := w.token().(string)
		f(key)
	})
}

// array calls f for every element of the array at hand.
func (w *walk) array(f func()) { w.within('[', f) }

func (w *walk) within(open json.Delim, f func()) {
	if first := w.token(); first != open {
		w.skip(first)
		return
	}
	for w.err == nil && w.dec.More() {
		f()
	}
	w.token()
}

// skip passes over what begins with a token.
func (w *walk) skip(first json.Token) {
	depth := 0
	for t := first; w.err == nil; t = w.token() {
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth <= 0 {
			return
		}
	}
}

// value takes the value at hand, and returns where it stands and what it is if
// it is a text.
func (w *walk) value() (from, to int, text *string) {
	before := int(w.dec.InputOffset())
	first := w.token()
	if w.err != nil {
		return 0, 0, nil
	}
	to = int(w.dec.InputOffset())
	if s, ok := first.(string); ok {
		from = before + bytes.IndexByte(w.body[before:to], '"')
		return from, to, &s
	}
	w.skip(first)
	return 0, 0, nil
}
