package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/seadog/seadog/deployer/httpd"
)

// elements returns all elements of a page.
func elements(t *testing.T, page string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func TestPagesRunNothingThatOthersWrote(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 0)
	v := s.signedIn(adminToken)
	for name, path := range pages {
		a := v.page(path)
		for _, n := range elements(t, a.body) {
			if n.DataAtom == atom.Script && (!strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil) {
				t.Errorf("%s: a script that is not ours: %v", name, n.Attr)
			}
			if n.DataAtom == atom.Style || has(n, "style") || n.DataAtom == atom.Img && !strings.HasPrefix(attr(n, "src"), "/assets/") {
				t.Errorf("%s: <%s %v>", name, n.Data, n.Attr)
			}
			for _, at := range n.Attr {
				if strings.HasPrefix(at.Key, "on") || at.Key == "href" && !strings.HasPrefix(at.Val, "/") && !strings.HasPrefix(at.Val, "#") && !strings.HasPrefix(at.Val, "https://github.com/acme/") {
					t.Errorf("%s: %s=%q", name, at.Key, at.Val)
				}
			}
		}
		if strings.Contains(a.body, "sentinel-password") || strings.Contains(a.body, hookSecret) || strings.Contains(a.body, adminToken) {
			t.Errorf("%s shows a secret", name)
		}
	}
	if !strings.Contains(v.page(pages["healthy"]).body, "&lt;script&gt;alert(&#34;sentinel&#34;)&lt;/script&gt;") {
		t.Error("what was written is not shown at all")
	}
}

func TestPagesSayWhatBrowsersMayDo(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 0)
	v := s.signedIn(adminToken)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
		"Content-Type": "text/html; charset=utf-8",
	}
	answers := map[string]answer{"sign-in": s.visitor().get("/sign-in"), "nothing": v.get("/nothing")}
	for name, path := range pages {
		answers[name] = v.page(path)
	}
	for name, a := range answers {
		for header, value := range want {
			if got := a.header.Get(header); got != value {
				t.Errorf("%s: %s: %q", name, header, got)
			}
		}
	}
	if a := answers["nothing"]; a.status != http.StatusNotFound || !strings.Contains(a.body, "<h1>") {
		t.Errorf("a page that there is not: %s", a)
	}
	if a := v.get("/nothing", "Accept", "application/json"); !strings.HasPrefix(a.body, `{"error"`) {
		t.Errorf("a program is answered with a page: %s", a)
	}
	sandboxed := v.page("/reports/1/report.html")
	if p := sandboxed.header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "sandbox allow-scripts; default-src 'none'") || strings.Contains(p, "allow-same-origin") {
		t.Errorf("policy of a report: %s", p)
	}
}

func TestAssetsNeverChangeUnderTheirName(t *testing.T) {
	t.Parallel()
	s, _ := everything(t, 0)
	v := s.signedIn(readToken)
	found := regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(v.page("/").body, -1)
	if len(found) < 3 {
		t.Fatalf("assets: %v", found)
	}
	stranger := s.visitor()
	for _, f := range found {
		a := stranger.page(f[1])
		if a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !regexp.MustCompile(`\.[0-9a-f]{10}\.`).MatchString(f[1]) {
			t.Errorf("%s: %s", f[1], a.header.Get("Cache-Control"))
		}
	}
	// While workers are replaced, a page may come from another version.
	a := stranger.page("/assets/seadog.0123456789.css")
	if a.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/css") {
		t.Errorf("of another version: %v", a.header)
	}
	if a := stranger.get("/assets/none.0123456789.css"); a.status != http.StatusNotFound {
		t.Errorf("none: %s", a)
	}
	if a := stranger.get("/assets/seadog.css"); a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("without hash: %v", a.header)
	}
}

func TestPagesCanBeUsedByEverybody(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 0)
	v := s.signedIn(adminToken)
	bodies := map[string]string{"sign-in": s.visitor().page("/sign-in").body, "trouble": v.get("/nothing").body}
	for name, path := range pages {
		bodies[name] = v.page(path).body
	}
	for name, body := range bodies {
		all := elements(t, body)
		count := func(is func(*html.Node) bool) (n int) {
			for _, e := range all {
				if is(e) {
					n++
				}
			}
			return n
		}
		tag := func(a atom.Atom) func(*html.Node) bool { return func(n *html.Node) bool { return n.DataAtom == a } }
		for _, a := range []atom.Atom{atom.H1, atom.Main, atom.Title} {
			if n := count(tag(a)); n != 1 {
				t.Errorf("%s has %d <%s>", name, n, a)
			}
		}
		if count(func(n *html.Node) bool { return n.DataAtom == atom.Html && attr(n, "lang") == "en" }) != 1 {
			t.Errorf("%s does not say its language", name)
		}
		if count(func(n *html.Node) bool { return n.DataAtom == atom.A && attr(n, "href") == "#main" }) != 1 {
			t.Errorf("%s has no way past the navigation", name)
		}
		labels(t, name, all)
	}
}

// labels requires that ids are unique, that whatever refers to one finds it, and
// that everything that can be used has a name.
func labels(t *testing.T, name string, all []*html.Node) {
	t.Helper()
	ids, labelled := map[string]int{}, map[string]bool{}
	for _, n := range all {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		if n.DataAtom == atom.Label {
			labelled[attr(n, "for")] = true
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: %d elements have the id %s", name, n, id)
		}
	}
	for _, n := range all {
		for _, ref := range []string{"aria-labelledby", "popovertarget", "data-filter"} {
			if id := attr(n, ref); id != "" && ids[id] == 0 {
				t.Errorf("%s: %s refers to %s, which is not there", name, ref, id)
			}
		}
		switch n.DataAtom {
		case atom.Input, atom.Select:
			if kind := attr(n, "type"); kind != "hidden" && !labelled[attr(n, "id")] && n.Parent.DataAtom != atom.Label {
				t.Errorf("%s: a field without label: %v", name, n.Attr)
			}
		case atom.Button, atom.A:
			if strings.TrimSpace(textOf(n)) == "" {
				t.Errorf("%s: <%s %v> has no name", name, n.Data, n.Attr)
			}
		case atom.Img:
			if !has(n, "alt") {
				t.Errorf("%s: an image without alt", name)
			}
		case atom.Section, atom.Nav:
			if attr(n, "aria-label")+attr(n, "aria-labelledby") == "" && !strings.Contains(attr(n, "class"), "card") {
				t.Errorf("%s: a landmark without name: %v", name, n.Attr)
			}
		}
	}
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// mostBytes is what the first load of a page may take, uncompressed.
const mostBytes = 150 << 10

func TestNoPageIsLarge(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 100)
	v := s.signedIn(adminToken)
	assets := map[string]int{}
	for name, path := range pages {
		body := v.page(path).body
		sum := len(body)
		for _, f := range regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1) {
			if _, known := assets[f[1]]; !known {
				assets[f[1]] = len(v.page(f[1]).body)
			}
			sum += assets[f[1]]
		}
		t.Logf("%-12s %6d bytes of HTML, %6d in all", name, len(body), sum)
		if sum > mostBytes {
			t.Errorf("%s takes %d bytes", name, sum)
		}
	}
}

// mostQueries is the query budget of the service's own configuration.
const mostQueries = 20

func TestNoPageAsksTheStoreOftenForLittle(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 100)
	tight := serve(t, setting{projects: 100, httpd: func(c *httpd.Config) { c.Limits.QueryBudget = mostQueries / 2 }}, s.dir, s.store)
	v := tight.signedIn(adminToken)
	for _, path := range pages {
		v.get(path)
	}
	if len(tight.over.routes) > 0 {
		t.Errorf("more than half of the query budget: %v", tight.over.routes)
	}
}
