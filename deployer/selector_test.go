package deployer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

var shaA = strings.Repeat("a", 40)

func TestSelectorWants(t *testing.T) {
	t.Parallel()
	branch := func(name string) deployer.Push { return deployer.Push{Ref: "refs/heads/" + name, After: shaA} }
	tag := func(name string) deployer.Push { return deployer.Push{Ref: "refs/tags/" + name, After: shaA} }
	image := func(name string) deployer.Push { return deployer.Push{Ref: name} }
	says := func(p deployer.Push, message string) deployer.Push { p.Message = message; return p }
	paths := func(p deployer.Push, paths ...string) deployer.Push { p.Paths, p.Complete = paths, true; return p }

	main := deployer.Selector{Branches: []string{"main"}}
	web := deployer.Selector{Branches: []string{"main"}, Paths: []string{"web/**", "go.mod"}}
	for _, test := range []struct {
		fact     string
		selector deployer.Selector
		push     deployer.Push
		reason   string // "" means wanted
	}{
		{"the branch itself", main, branch("main"), ""},
		{"a branch that ends like it", main, branch("feature/main"), "branch feature/main matches none of main"},
		{"a branch in other letters", main, branch("Main"), "branch Main matches none of main"},
		{"a tag of that name", main, tag("main"), "the project follows no tags"},
		{"an image of that name", main, image("main"), "the project follows no images"},
		{"a branch for a project of tags", deployer.Selector{Tags: []string{"*"}}, branch("main"), "the project follows no branches"},
		{"one of several globs", deployer.Selector{Branches: []string{"main", "release/*"}}, branch("release/1"), ""},
		{"a glob stays in its segment", deployer.Selector{Branches: []string{"release/*"}}, branch("release/1/rc"), "branch release/1/rc matches none of release/*"},
		{"two stars do not", deployer.Selector{Branches: []string{"release/**"}}, branch("release/1/rc"), ""},
		{"a tag", deployer.Selector{Tags: []string{"v*"}}, tag("v1.2"), ""},
		{"an image", deployer.Selector{Images: []string{"registry:5000/acme/shop:1.*"}}, image("registry:5000/acme/shop:1.2"), ""},
		{"nothing at all", deployer.Selector{}, branch("main"), "the project follows no branches"},
		{"a deletion", main, deployer.Push{Ref: "refs/heads/main", Deleted: true}, "refs/heads/main was deleted"},
		{"a push without a commit", main, deployer.Push{Ref: "refs/heads/main"}, "the push names no commit"},
		{"a push to zeros", main, deployer.Push{Ref: "refs/heads/main", After: strings.Repeat("0", 40)}, "the push names no commit"},
		{"a short commit", main, deployer.Push{Ref: "refs/heads/main", After: "abcdef"}, "the push names no commit"},
		{"an option as a commit", main, deployer.Push{Ref: "refs/heads/main", After: "--upload-pack=x"}, "the push names no commit"},
		{
			"another kind of ref",
			deployer.Selector{Branches: []string{"**"}, Tags: []string{"**"}, Images: []string{"**"}},
			deployer.Push{Ref: "refs/pull/1/head", After: shaA},
			"the ref is not a branch or tag name that git accepts",
		},
		{"no ref", main, deployer.Push{After: shaA}, "the ref is not a branch or tag name that git accepts"},

		{"skip ci", main, says(branch("main"), "Fix [skip ci]"), "the commit message says [skip ci]"},
		{"ci skip", main, says(branch("main"), "[ci skip] Fix"), "the commit message says [ci skip]"},
		{"skip deploy, loudly", main, says(branch("main"), "Fix\n\n[SKIP DEPLOY]"), "the commit message says [skip deploy]"},
		{"deploy skip", main, says(branch("main"), "[deploy skip]"), "the commit message says [deploy skip]"},
		{"skip cd", main, says(branch("main"), "[skip cd]"), "the commit message says [skip cd]"},
		{"no ci", main, says(branch("main"), "[no ci]"), "the commit message says [no ci]"},
		{"words without brackets", main, says(branch("main"), "do not skip ci"), ""},
		{"a marker on a branch that is not followed", main, says(branch("x"), "[skip ci]"), "branch x matches none of main"},

		{"a changed path below", web, paths(branch("main"), "docs/a.md", "web/a/b.go"), ""},
		{"a changed file", web, paths(branch("main"), "go.mod"), ""},
		{"other paths", web, paths(branch("main"), "docs/a.md", "website/x", "a/web/x"), "none of the 3 changed files matches paths"},
		{"no path changed", web, paths(branch("main")), "none of the 0 changed files matches paths"},
		{"paths that are not all", web, deployer.Push{Ref: "refs/heads/main", After: shaA, Paths: []string{"docs/a.md"}}, ""},
		{"a forced push", web, deployer.Push{Ref: "refs/heads/main", After: shaA, Complete: true, Forced: true}, ""},
		{"a new branch", web, deployer.Push{Ref: "refs/heads/main", After: shaA, Complete: true, Created: true}, ""},
		{"any path, when none is asked for", main, paths(branch("main"), "docs/a.md"), ""},
	} {
		ok, reason := test.selector.Wants(test.push)
		if ok != (test.reason == "") || reason != test.reason {
			t.Errorf("%s: got %v %q, want %q", test.fact, ok, reason, test.reason)
		}
	}
}

func TestSelectorNeverWantsHostileRefs(t *testing.T) {
	t.Parallel()
	all := deployer.Selector{Branches: []string{"**"}, Tags: []string{"**"}, Images: []string{"**"}}
	for _, name := range []string{
		"--upload-pack=touch /tmp/x", "-x", "a/-x", "../main", "a/../b", "main.lock", "a.lock/b", ".hidden", "a//b", "/main", "main/", "main.",
		"a b", "a\tb", "a\nb", "a\x00b", "a\x7fb", "a~1", "a^", "a:b", "a?", "a*", "a[", `a\b`, "a@{0}", "", strings.Repeat("x", 600),
	} {
		for _, kind := range []string{"refs/heads/", "refs/tags/"} {
			if ok, _ := all.Wants(deployer.Push{Ref: kind + name, After: shaA}); ok {
				t.Errorf("%q is wanted", kind+name)
			}
		}
	}
}

func TestMatchGlob(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true},
		{"main", "mai", false},
		{"main", "feature/main", false},
		{"*", "main", true},
		{"*", "feature/main", false},
		{"*", "", true},
		{"m?in", "main", true},
		{"a?b", "a/b", false},
		{"a[^x]b", "a/b", false}, // a class is one character of a segment
		{"[a-c]*", "beta", true},
		{"[", "[", false},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{"**", "", true},
		{"**", "a", true},
		{"**", "a/b/c", true},
		{"a/**", "a", true},
		{"a/**", "a/b/c", true},
		{"a/**", "ab/c", false},
		{"**/a", "a", true},
		{"**/a", "b/c/a", true},
		{"**/a", "b/ca", false},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/x/y/c", false},
		{"**/b/**/d", "a/b/c/b/d", true},
		{"**/b/c/**/b/d", "b/c/x/b/c/b/d", true},
		{"**/b/c/**/b/d", "b/c/d", false},
		{"**/*.go", "a/b.go", true},
		{"**/[", "a/[", false},
		{"a/*/**", "a", false},
		{"a/*/**", "a/b", true},
		{"**/**/**", "a", true},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"a/", "a", false},
	} {
		if got := deployer.MatchGlob(test.pattern, test.name); got != test.want {
			t.Errorf("%q on %q: got %v, want %v", test.pattern, test.name, got, test.want)
		}
	}
}

// What a configured pattern costs must not depend on who chooses the names.
func TestMatchGlobTakesNoLongerForHostileNames(t *testing.T) {
	t.Parallel()
	start := time.Now()
	segments := strings.Repeat("a/", 2_000)
	for _, pattern := range []string{
		strings.Repeat("**/a/", 40) + "b", strings.Repeat("**/", 200) + "b", strings.Repeat("**/*/", 40) + "b", strings.Repeat("*a", 40) + "b",
	} {
		if deployer.MatchGlob(pattern, segments+"c") || deployer.MatchGlob(pattern, strings.Repeat("a", 4_000)) {
			t.Errorf("%.20q matches", pattern)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestValidGlobSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"main": "", "release/*": "", "**": "", "a/**/b": "", "[a-z]?*": "", `a\*`: "", "**/a/**/b/**/c/**": "",
		"":                    "empty pattern",
		"a**":                 `"**" must stand alone between slashes in "a**"`,
		"**a":                 `"**" must stand alone between slashes in "**a"`,
		"a/b**/c":             `"**" must stand alone between slashes in "a/b**/c"`,
		"***":                 `"**" must stand alone between slashes in "***"`,
		"**/**/**/**/**":      `more than four "**" in "**/**/**/**/**"`,
		"[a":                  `"[a": unclosed [ or trailing backslash`,
		`a\`:                  `"a\\": unclosed [ or trailing backslash`,
		"[a/b]":               `"[a/b]": unclosed [ or trailing backslash`,
		"fine/**/but/[broken": `"fine/**/but/[broken": unclosed [ or trailing backslash`,
	} {
		got := ""
		if err := deployer.ValidGlob(pattern); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

// FuzzMatchGlob holds that a valid pattern without stars or classes matches
// itself alone, that "**" matches everything, and that nothing panics.
func FuzzMatchGlob(f *testing.F) {
	for _, seed := range [][2]string{{"main", "feature/main"}, {"a/**/b", "a/x/b"}, {"**/[a-c]?*", "x/abc"}, {`\*`, "*"}, {"[", "["}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		matches := deployer.MatchGlob(pattern, name)
		if !strings.ContainsAny(pattern, `*?[\`) && matches != (pattern == name) {
			t.Errorf("%q on %q: got %v", pattern, name, matches)
		}
		if !deployer.MatchGlob("**", name) {
			t.Errorf("** does not match %q", name)
		}
		if matches && deployer.ValidGlob(pattern) != nil && !strings.Contains(pattern, "**") && pattern != "" {
			t.Errorf("invalid pattern %q matches %q", pattern, name)
		}
	})
}
