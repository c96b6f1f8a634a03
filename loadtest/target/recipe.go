package target

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// recipe is all that requests of one traffic have in common. Immutable.
type recipe struct {
	run       string
	traffic   *loadtest.Traffic
	mix       *Mix
	method    string
	base      string
	path      text
	url       *url.URL // if the path is fixed
	host      string
	common    http.Header // what is the same in all requests
	fields    []field     // what is not, in a fixed order
	id        string      // header of the id; "": none
	needsID   bool
	sign      loadtest.Sign
	body      *body
	constant  []byte // the body, if it is always the same
	signed    string // its signature
	projects  []string
	negatives []*spoiler
	recorded  []loadtest.Recorded
	addresses map[address]*url.URL // of recorded requests
}

type field struct {
	name  string
	value text
}

func newRecipe(c Config) (*recipe, error) {
	t := c.Traffic
	r := &recipe{
		run: c.Run, traffic: t, method: t.Request.Method, base: strings.TrimSuffix(c.BaseURL, "/"),
		sign: t.Request.Sign, projects: t.Request.Projects, common: http.Header{},
	}
	if r.method == "" {
		r.method = http.MethodGet
	}
	if base, err := url.Parse(r.base); err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("base_url %q is none; write http://host:port", c.BaseURL)
	}
	var err error
	if r.mix, err = NewMix(c.Seed, t); err != nil {
		return nil, err
	}
	if len(t.Request.Recorded) > 0 {
		return r, r.replay(&t.Request)
	}
	if r.sign.Scheme == SignPath {
		return nil, errors.New("sign: path is for recorded requests; write the secret into the path")
	}
	if r.path, err = parsePath(t.Request.Path); err != nil {
		return nil, err
	}
	if r.path.fixed() {
		if r.url, err = r.address(r.path, &facts{}); err != nil {
			return nil, err
		}
	}
	if r.body, err = newBody(&t.Request); err != nil {
		return nil, err
	}
	if err := r.headers(&t.Request); err != nil {
		return nil, err
	}
	r.needsID = r.id != "" || r.uses(id)
	if r.uses(project) && len(r.projects) == 0 {
		return nil, errors.New("{{project}} stands for nothing; write projects, or leave it out")
	}
	return r, r.prepare()
}

// prepare makes what is made once only: constant bodies and spoilers.
func (r *recipe) prepare() error {
	b := newBuilder(r)
	if _, err := newSigner(r.sign); err != nil {
		return err
	}
	if r.body != nil && r.body.fixed() {
		b.begin(0)
		r.constant = b.content(nil)
		if b.signer != nil {
			r.signed = b.signer.sign(r.constant, false)
		}
	}
	for i := range r.traffic.Negatives {
		s, err := newSpoiler(&r.traffic.Negatives[i], r)
		if err != nil {
			return err
		}
		r.negatives = append(r.negatives, s)
	}
	return nil
}

// headers sorts headers into those that are always the same and the others.
func (r *recipe) headers(from *loadtest.Request) error {
	for _, name := range slices.Sorted(maps.Keys(from.Header)) {
		for _, value := range from.Header[name] {
			t, err := parse(value)
			key := http.CanonicalHeaderKey(name)
			switch {
			case err != nil:
				return fmt.Errorf("header %s: %w", name, err)
			case strings.ContainsAny(name+value, "\r\n"):
				return fmt.Errorf("header %q holds the end of a line; write it without", name)
			case key == "Host":
				r.host = value
			case t.fixed():
				r.common[key] = append(r.common[key], value)
			case len(from.Header[name]) > 1:
				return fmt.Errorf("header %s has placeholders and several values; write one", name)
			default:
				r.fields = append(r.fields, field{key, t})
			}
		}
	}
	if from.ID.Header != "" {
		r.id = http.CanonicalHeaderKey(from.ID.Header)
	}
	r.sign.Header = http.CanonicalHeaderKey(r.sign.Header)
	delete(r.common, r.id)
	delete(r.common, r.sign.Header)
	for name, value := range r.defaults() {
		if _, given := r.common[name]; !given && !slices.ContainsFunc(r.fields, func(f field) bool { return f.name == name }) {
			r.common[name] = []string{value}
		}
	}
	return nil
}

// defaults are headers of requests that do not say otherwise.
func (r *recipe) defaults() map[string]string {
	d := map[string]string{"User-Agent": "seadog-load"}
	switch {
	case r.body == nil:
	case r.body.push != nil:
		d["User-Agent"] = "GitHub-Hookshot/044aadd"
		d["X-Github-Event"] = "push"
		d["Content-Type"] = "application/json"
	case r.body.noise:
		d["Content-Type"] = "application/octet-stream"
	default:
		d["Content-Type"] = "application/json"
	}
	return d
}

// uses reports whether any text of the requests holds that placeholder.
func (r *recipe) uses(k kind) bool {
	texts := []text{r.path}
	for _, f := range r.fields {
		texts = append(texts, f.value)
	}
	if r.body != nil {
		texts = append(texts, r.body.text)
		if r.body.push != nil {
			texts = append(texts, r.body.push.ref)
		}
	}
	return slices.ContainsFunc(texts, func(t text) bool { return t.has(k) })
}

// address returns the URL of a path.
func (r *recipe) address(path text, f *facts) (*url.URL, error) {
	u, err := url.Parse(string(path.fill([]byte(r.base), f)))
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	return u, nil
}

func parsePath(path string) (text, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("path %q does not begin with /; write one that does", cut(path))
	}
	t, err := parse(path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	return t, nil
}
