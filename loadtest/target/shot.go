package target

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"

	"github.com/seadog/seadog/loadtest"
)

// Shot is one request, ready to be sent. Nothing of it may be changed, and
// nothing kept after it was returned to its magazine.
type Shot struct {
	Seq uint64
	Choice
	ID     string // "" if the traffic's requests have none
	Method string
	URL    *url.URL
	Host   string // "" : that of URL
	Header http.Header
	Body   []byte
	Expect *loadtest.Expect

	own    http.Header // map that Header may be
	buffer []byte      // memory that Body may be
}

// builder builds shots. It is not safe for concurrent use.
type builder struct {
	recipe *recipe
	signer *signer
	draw   rand.PCG
	facts  facts
	path   []byte
}

func newBuilder(r *recipe) *builder {
	s, _ := newSigner(r.sign) // the recipe has been checked
	return &builder{recipe: r, signer: s}
}

// build makes s request seq, in memory that it has already.
func (b *builder) build(s *Shot, seq uint64) {
	r := b.recipe
	c := r.mix.Choose(seq)
	b.begin(c.Of)
	s.Expect = r.expect(c)
	if len(r.recorded) > 0 {
		b.again(s, seq, c)
		return
	}
	s.Seq, s.Choice, s.ID, s.Method, s.URL, s.Host = seq, c, b.facts.id, r.method, r.url, r.host
	if s.URL == nil {
		s.URL = b.address(r.path)
	}
	b.header(s)
	signature := b.body(s)
	if c.Variant == loadtest.Spoiled {
		signature = b.spoil(s, r.negatives[c.Negative], signature)
	}
	switch {
	case signature != "":
		set(s.own, r.sign.Header, signature)
	case s.own != nil && r.sign.Scheme != "":
		delete(s.own, r.sign.Header)
	}
}

// expect returns what a good answer is.
func (r *recipe) expect(c Choice) *loadtest.Expect {
	switch {
	case c.Variant == loadtest.Spoiled:
		return &r.traffic.Negatives[c.Negative].Expect
	case c.Variant == loadtest.Repeated && len(r.traffic.Replay.Expect.Status) > 0:
		return &r.traffic.Replay.Expect
	}
	return &r.traffic.Expect
}

// begin sets what placeholders of the request with that content stand for.
func (b *builder) begin(of uint64) {
	r := b.recipe
	b.draw.Seed(r.mix.seed, of)
	b.facts = facts{run: r.run, seq: of, draw: &b.draw}
	if r.needsID {
		b.facts.id = ID(r.run, r.traffic.Name, of)
	}
	if len(r.projects) > 0 {
		b.facts.project = r.projects[of%uint64(len(r.projects))]
	}
}

// header gives s the map that is common to all shots, or one of its own.
func (b *builder) header(s *Shot) {
	r := b.recipe
	if len(r.fields) == 0 && r.id == "" && r.sign.Scheme == "" {
		s.Header = r.common
		return
	}
	if s.own == nil {
		s.own = maps.Clone(r.common)
	}
	s.Header = s.own
	for _, f := range r.fields {
		b.path = f.value.fill(b.path[:0], &b.facts)
		set(s.own, f.name, string(b.path))
	}
	if r.id != "" {
		set(s.own, r.id, s.ID)
	}
}

// body gives s its body and returns what it is signed with.
func (b *builder) body(s *Shot) (signature string) {
	r := b.recipe
	if r.constant != nil {
		s.Body = r.constant
		return r.signed
	}
	s.buffer = b.content(s.buffer[:0])
	s.Body = s.buffer
	if b.signer == nil {
		return ""
	}
	return b.signer.sign(s.Body, false)
}

// content appends the body of the request that was begun.
func (b *builder) content(to []byte) []byte {
	if b.recipe.body == nil {
		return to
	}
	return b.recipe.body.write(to, &b.facts)
}

// spoil makes s what must be refused, and returns its signature.
func (b *builder) spoil(s *Shot, how *spoiler, signature string) string {
	switch how.kind {
	case "signature":
		return b.signer.sign(s.Body, true)
	case "unsigned":
		return ""
	case "body":
		s.Body = how.body
		return how.signed
	case "json": // half of what it was: an object that does not end
		s.Body = s.Body[:(len(s.Body)+1)/2]
		if len(s.Body) == 0 {
			s.Body = []byte("{")
		}
		if b.signer != nil {
			return b.signer.sign(s.Body, false)
		}
	case "method":
		if s.Method = otherMethod(s.Method); s.Method == http.MethodGet {
			s.Body = nil
		}
	case "path":
		s.URL = b.address(how.path)
	}
	return signature
}

// address returns the URL of a path. One that is none after its placeholders
// were filled in leads to the root: the answer will not be what is expected.
func (b *builder) address(path text) *url.URL {
	u, err := b.recipe.address(path, &b.facts)
	if err != nil {
		u, _ = url.Parse(b.recipe.base)
	}
	return u
}

// set is [http.Header.Set] without a new slice.
func set(h http.Header, name, value string) {
	if values := h[name]; len(values) == 1 {
		values[0] = value
		return
	}
	h[name] = []string{value}
}
