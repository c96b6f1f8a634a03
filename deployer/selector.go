package deployer

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Selector says which pushes a project wants. Patterns are globs: '*' matches
// within one path segment, '**' across segments, '?' one character. A pattern
// is matched against the whole name, so "main" never matches "feature/main".
type Selector struct {
	Branches []string // of branch names; empty means: no branch
	Tags     []string // of tag names; empty means: no tag
	Images   []string // of image:tag; empty means: no image
	Paths    []string // of changed files; empty means: any
}

// skipMarkers are honoured anywhere in the head commit's message, as on GitHub and GitLab.
var skipMarkers = []string{"[skip ci]", "[ci skip]", "[skip cd]", "[no ci]", "[skip deploy]", "[deploy skip]"}

// skipMarker returns the first marker that message contains, "" if there is none.
func skipMarker(message string) string {
	message = strings.ToLower(message)
	for _, marker := range skipMarkers {
		if strings.Contains(message, marker) {
			return marker
		}
	}
	return ""
}

// Wants reports whether the project wants push p. If not, reason is one
// sentence for the person who asks why nothing was deployed. It is pure.
func (s Selector) Wants(p Push) (ok bool, reason string) {
	if p.Deleted {
		return false, fmt.Sprintf("%s was deleted", p.Ref)
	}
	if ok, reason := s.wantsRef(p); !ok {
		return false, reason
	}
	if marker := skipMarker(p.Message); marker != "" {
		return false, fmt.Sprintf("the commit message says %s", marker)
	}
	if len(s.Paths) == 0 || !p.Complete || p.Forced || p.Created {
		return true, ""
	}
	for _, file := range p.Paths {
		if matchAny(s.Paths, file) {
			return true, ""
		}
	}
	return false, fmt.Sprintf("none of the %d changed files matches paths", len(p.Paths))
}

func (s Selector) wantsRef(p Push) (bool, string) {
	patterns, kind, name := s.Images, "image", p.Ref
	if branch, ok := p.Branch(); ok {
		patterns, kind, name = s.Branches, "branch", branch
	} else if tag, ok := p.Tag(); ok {
		patterns, kind, name = s.Tags, "tag", tag
	}
	switch {
	case !p.Image() && !ValidRef(p.Ref):
		return false, "the ref is not a branch or tag name that git accepts"
	case len(patterns) == 0:
		return false, fmt.Sprintf("the project follows no %s", plural(kind))
	case !matchAny(patterns, name):
		return false, fmt.Sprintf("%s %s matches none of %s", kind, name, strings.Join(patterns, ", "))
	case !p.Image() && !ValidCommit(p.After):
		return false, "the push names no commit"
	}
	return true, ""
}

func plural(kind string) string {
	if kind == "branch" {
		return "branches"
	}
	return kind + "s"
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if MatchGlob(p, name) {
			return true
		}
	}
	return false
}

// MatchGlob reports whether name matches pattern as described at [Selector].
// An invalid pattern matches nothing; [ValidGlob] finds it when the configuration is read.
func MatchGlob(pattern, name string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// matchSegments matches segment by segment; a "**" segment stands for any
// number of them, also none. Only the last "**" is ever tried again: whatever
// the ones before it stood for, what follows it matches the same. So the time
// is bounded by the product of both lengths, however many stars there are.
func matchSegments(pattern, name []string) bool {
	star, after := -1, 0 // the last "**", and the segment that follows what it stands for
	for p, n := 0, 0; ; {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, after = p, n
			p++
		case p == len(pattern) && n == len(name):
			return true
		case p < len(pattern) && n < len(name) && matchSegment(pattern[p], name[n]):
			p, n = p+1, n+1
		case star >= 0 && after < len(name):
			after++
			p, n = star+1, after
		default:
			return false
		}
	}
}

func matchSegment(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

var globRE = regexp.MustCompile(`\*\*[^/]|[^/]\*\*`)

// ValidGlob returns an error that says what is wrong with pattern.
func ValidGlob(pattern string) error {
	switch {
	case pattern == "":
		return fmt.Errorf("empty pattern")
	case globRE.MatchString(pattern):
		return fmt.Errorf(`"**" must stand alone between slashes in %q`, pattern)
	case strings.Count(pattern, "**") > 4:
		return fmt.Errorf(`more than four "**" in %q`, pattern)
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("%q: unclosed [ or trailing backslash", pattern)
		}
	}
	return nil
}
