package spec

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// maxBody is the largest body that is sent or read.
const maxBody = 64 << 20

// request reads what is sent, and adds the placeholders that it uses to used.
func (b *builder) request(key string, f *request, used map[string]bool) loadtest.Request {
	r := loadtest.Request{Method: f.Method, Path: f.Path, Projects: f.Projects, ID: loadtest.ID{Header: f.ID.Header}}
	r.Body = b.body(key+".body", &f.Body, used)
	switch {
	case b.given(key + ".method"):
		if !tokenRE.MatchString(r.Method) || strings.ToUpper(r.Method) != r.Method || r.Method == http.MethodConnect {
			b.fail(key+".method", "write one like GET or POST", "%q is not a method", cut(r.Method))
		}
	case r.Body.Text != "" || r.Body.File != "" || r.Body.Push != "" || r.Body.MaxSize > 0:
		r.Method = http.MethodPost
	default:
		r.Method = http.MethodGet
	}
	b.required(key, "path")
	if b.given(key + ".path") {
		b.requestPath(key+".path", f.Path, used)
	}
	r.Header = b.headers(key+".headers", f.Headers)
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		b.placeholders(below(key+".headers", name), f.Headers[name], used)
	}
	for i, p := range r.Projects {
		b.name(item(key+".projects", i), p, "a project")
	}
	if used["project"] && len(r.Projects) == 0 && !b.managed() {
		b.fail(key+".projects", "list what {{project}} stands for, one request after the other", "missing")
	}
	if b.given(key+".id") && !tokenRE.MatchString(r.ID.Header) {
		b.fail(key+".id.header", "name the header that carries the id, like X-GitHub-Delivery", "%q cannot name a header", cut(r.ID.Header))
	}
	if b.given(key + ".sign") {
		r.Sign = b.sign(key+".sign", &f.Sign)
	}
	return r
}

func (b *builder) requestPath(key, path string, used map[string]bool) {
	if !b.placeholders(key, path, used) {
		return
	}
	b.isPath(key, placeholderRE.ReplaceAllString(path, "0"))
}

// isPath reports a path that cannot be put behind http://host:port.
func (b *builder) isPath(key, path string) {
	_, err := url.Parse("http://host" + path)
	switch {
	case !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		b.fail(key, "write a path that begins with one /", "%q is not a path", cut(path))
	case err != nil || strings.ContainsAny(path, "# "):
		b.fail(key, "escape what is special in URLs, like %20 for a space", "%q cannot stand in a URL", cut(path))
	}
}

var placeholderRE = regexp.MustCompile(`\{\{(.*?)\}\}`)

// placeholders checks those of a text, and reports whether they are right.
func (b *builder) placeholders(key, text string, used map[string]bool) bool {
	for _, found := range placeholderRE.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSpace(found[1])
		digits, random := strings.CutPrefix(name, "rand ")
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		switch {
		case slices.Contains([]string{"run", "seq", "id", "project"}, name):
			used[name] = true
		case random && err == nil && n >= 1 && n <= 4096:
		case random:
			b.fail(key, "write how many digits, from 1 to 4096, like {{rand 8}}", "%s is no number of random digits", cut(found[0]))
			return false
		default:
			b.fail(key, "there are {{run}}, {{seq}}, {{id}}, {{project}} and {{rand N}}", "%s stands for nothing", cut(found[0]))
			return false
		}
	}
	if strings.Contains(placeholderRE.ReplaceAllString(text, ""), "{{") {
		b.fail(key, "write }} after it", "{{ has no end")
		return false
	}
	return true
}

var (
	repositoryRE = regexp.MustCompile(`^[A-Za-z0-9_.-]+/([A-Za-z0-9_.-]|\{\{project\}\})+$`)
	commitRE     = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

func (b *builder) body(key string, f *body, used map[string]bool) loadtest.Body {
	out := loadtest.Body{
		Text: f.Text, File: b.path(f.Template), Push: f.Push, Repository: f.Repository, Ref: f.Ref,
		Commits: f.Commits, MinSize: int64(f.Size.least), MaxSize: int64(f.Size.most),
	}
	kind := ""
	for _, k := range []string{"text", "template", "push"} {
		switch {
		case !b.given(below(key, k)):
		case kind != "":
			b.fail(below(key, k), "keep one of the two", "a body has %s already", kind)
		default:
			kind = k
		}
	}
	if f.Size.most > maxBody {
		b.fail(key+".size", "write at most 64MiB", "%s is out of range", f.Size.most)
	}
	b.placeholders(key+".text", f.Text, used)
	if kind == "template" {
		text, err := readFile(out.File, maxBody)
		if err != nil {
			b.fail(key+".template", "name a text file; it is looked for beside the scenario", "%s: %s", cut(f.Template), err)
		}
		b.placeholders(key+".template", string(text), used)
	}
	b.push(key, f, used)
	return out
}

func (b *builder) push(key string, f *body, used map[string]bool) {
	pushed := b.given(key + ".push")
	for _, k := range []string{"repository", "ref", "commits"} {
		if b.given(below(key, k)) && !pushed {
			b.fail(below(key, k), "write push: github beside it, or leave it out", "says something of pushes, and the body is none")
		}
	}
	if !pushed {
		return
	}
	b.placeholders(key+".repository", f.Repository, used)
	b.placeholders(key+".ref", f.Ref, used)
	switch {
	case f.Push != "github":
		b.fail(key+".push", "write github", "there are no pushes of %q", cut(f.Push))
	case f.Repository == "" && !b.managed():
		b.fail(key+".repository", "write owner/name, of the repository that is pushed to", "missing")
	case b.given(key+".repository") && !repositoryRE.MatchString(f.Repository):
		b.fail(key+".repository", "write owner/name; {{project}} may be part of the name", "%q is not a repository", cut(f.Repository))
	}
	if strings.ContainsAny(placeholderRE.ReplaceAllString(f.Ref, ""), "\"\\ \n") {
		b.fail(key+".ref", "write one like refs/heads/main", "%q is not a ref", cut(f.Ref))
	}
	for i, commit := range f.Commits {
		if !commitRE.MatchString(commit) {
			b.fail(item(key+".commits", i), "write its 40 hex digits", "%q is not a commit", cut(commit))
		}
	}
}

func (b *builder) sign(key string, f *sign) loadtest.Sign {
	out := loadtest.Sign{Scheme: f.Scheme, Header: f.Header}
	b.required(key, "scheme")
	switch {
	case f.Scheme == "github-sha256" && f.Header == "":
		out.Header = "X-Hub-Signature-256"
	case f.Scheme == "github-sha256", f.Scheme == "hmac-sha256-hex" && f.Header != "":
	case f.Scheme == "hmac-sha256-hex":
		b.fail(key+".header", "name the header that carries the signature", "missing")
	case b.given(key + ".scheme"):
		b.fail(key+".scheme", "write github-sha256 or hmac-sha256-hex", "%q is not a scheme", cut(f.Scheme))
	}
	if out.Header != "" && !tokenRE.MatchString(out.Header) {
		b.fail(key+".header", "use letters, digits and -", "%q cannot name a header", cut(out.Header))
	}
	secret, given := b.secret(key, "secret", f.Secret, f.SecretEnv, f.SecretFile)
	if !given && !b.managed() {
		b.fail(key+".secret_env", "name the variable that holds the secret, or use secret_file", "missing")
	}
	out.Secret = secret
	return out
}

// mutation reads how a request is spoiled: a word, with what it needs in brackets.
func (b *builder) mutation(key, text string, t *loadtest.Traffic) loadtest.Mutation {
	kind, rest, bracketed := strings.Cut(text, "(")
	argument, closed := strings.CutSuffix(rest, ")")
	m := loadtest.Mutation{Kind: kind}
	takes := kind == "body" || kind == "path"
	switch {
	case !slices.Contains([]string{"signature", "unsigned", "body", "json", "method", "path"}, kind),
		bracketed != takes, bracketed && !closed:
		b.fail(key, "write signature, unsigned, json, method, body(11MiB) or path(/nowhere)", "%q is not a way to spoil a request", cut(text))
	case (kind == "signature" || kind == "unsigned") && t.Request.Sign.Scheme == "":
		b.fail(key, "give the request sign, or spoil something else", "there is no signature to spoil")
	case kind == "body":
		var s size
		if what, do := s.set(argument); what != "" {
			b.fail(key, do, "%s", what)
		} else if s < 1 || s > maxBody {
			b.fail(key, "write a size up to 64MiB", "a body of %s cannot be sent", s)
		}
		m.Size = int64(s)
	case kind == "path":
		b.requestPath(key, argument, map[string]bool{})
		m.Path = argument
	}
	return m
}
