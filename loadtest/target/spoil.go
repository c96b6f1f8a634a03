package target

import (
	"fmt"
	"net/http"

	"github.com/seadog/seadog/loadtest"
)

// spoiler is one way in which requests of a traffic are spoiled. Immutable.
type spoiler struct {
	kind   string
	path   text
	body   []byte // of "body": one for all, because it is large
	signed string // its signature
}

// newSpoiler prepares a negative of a traffic whose recipe is ready otherwise.
func newSpoiler(n *loadtest.Negative, r *recipe) (*spoiler, error) {
	s := &spoiler{kind: n.Mutate.Kind}
	wrong := func(what string) (*spoiler, error) {
		return nil, fmt.Errorf("negative %q: %s", n.Name, what)
	}
	switch s.kind {
	case "signature", "unsigned":
		if r.sign.Scheme == "" {
			return wrong("mutate: " + s.kind + " needs requests that are signed; give them sign")
		}
	case "body":
		if n.Mutate.Size <= 0 || n.Mutate.Size > mostBody {
			return wrong(fmt.Sprintf("mutate: a body of %d bytes; write body(11MiB), at most 64MiB", n.Mutate.Size))
		}
		b := newBuilder(r)
		b.begin(0)
		s.body = pad(b.content(nil), int(n.Mutate.Size))[:n.Mutate.Size]
		if b.signer != nil {
			s.signed = b.signer.sign(s.body, false)
		}
	case "path":
		var err error
		if s.path, err = parsePath(n.Mutate.Path); err != nil {
			return wrong("mutate: " + err.Error())
		}
	case "json", "method":
	case "recorded":
		if len(r.recorded) == 0 {
			return wrong("mutate: nothing is recorded; write signature, unsigned, body(SIZE), json, method or path(PATH)")
		}
	default:
		return wrong(fmt.Sprintf("mutate: there is no %q; write signature, unsigned, body(SIZE), json, method or path(PATH)", s.kind))
	}
	return s, nil
}

// otherMethod is one that a service which takes method does not expect.
func otherMethod(method string) string {
	if method == http.MethodGet || method == http.MethodHead {
		return http.MethodPost
	}
	return http.MethodGet
}
