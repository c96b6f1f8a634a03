package record

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seadog/seadog/loadtest"
)

// Other is the class of what came when there were 50 already.
const Other = "other"

const (
	mostClasses = 50
	longestText = 160 // bytes of a class
)

// What differs from one request to the next, and tells nothing about what went
// wrong. Classes have none of it when they come; this is the second net.
var (
	addresses = regexp.MustCompile(`\[[0-9A-Fa-f:.]*:[^\]\s]*\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`)
	ports     = regexp.MustCompile(`(\w):\d{4,5}\b`)
	pointers  = regexp.MustCompile(`\b0x[0-9a-f]{6,}\b`)
)

// classes counts kinds of failure, not more than mostClasses of them.
type classes struct {
	counts map[string]*uint64
	other  uint64
}

func (c *classes) take(s *loadtest.Sample) {
	class := s.Class
	if class == "" {
		class = unnamed(s)
	}
	if n := c.counts[class]; n != nil { // the usual case: it is as it should be
		*n++
		return
	}
	class = stripped(class)
	if n := c.counts[class]; n != nil {
		*n++
		return
	}
	if len(c.counts) == mostClasses || class == Other {
		c.other++
		return
	}
	if c.counts == nil {
		c.counts = map[string]*uint64{}
	}
	one := uint64(1)
	c.counts[strings.Clone(class)] = &one // it may be part of something large
}

// unnamed is the class of a failure that came without one.
func unnamed(s *loadtest.Sample) string {
	if s.Outcome == loadtest.Unexpected && s.Status > 0 {
		return "status " + strconv.Itoa(s.Status)
	}
	return s.Outcome.String()
}

func stripped(text string) string {
	if len(text) > longestText {
		cut := longestText
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	if strings.ContainsAny(text, ".[") {
		text = addresses.ReplaceAllLiteralString(text, "address")
	}
	if strings.Contains(text, ":") {
		text = ports.ReplaceAllString(text, "$1:port")
	}
	if strings.Contains(text, "0x") {
		text = pointers.ReplaceAllLiteralString(text, "pointer")
	}
	return text
}

// report returns the classes, the most frequent first.
func (c *classes) report() []loadtest.ErrorClass {
	out := make([]loadtest.ErrorClass, 0, len(c.counts)+1)
	for class, n := range c.counts {
		out = append(out, loadtest.ErrorClass{Class: class, Count: *n})
	}
	slices.SortFunc(out, func(a, b loadtest.ErrorClass) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class))
	})
	if c.other > 0 {
		out = append(out, loadtest.ErrorClass{Class: Other, Count: c.other})
	}
	return out
}
