package spec

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a scenario file.
type Problem struct {
	File   string
	Line   int    // from 1; 0 if the file could not be read at all
	Column int    // from 1
	Key    string // path of the key, e.g. scenarios[0].pacing.rate; empty if the file as a whole is meant
	What   string // is wrong
	Do     string // to put it right
	Source string // the line with a mark below the column; secrets in it are redacted
}

// Error is one line: file:line:column: key: what; do.
func (p Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	if p.Key != "" {
		text += ": " + p.Key
	}
	text += ": " + p.What
	if p.Do != "" {
		text += "; " + p.Do
	}
	return text
}

// Problems is the error of [Load] and [Parse]: everything that is wrong, in the
// order of the file.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, 0, 2*len(ps))
	for _, p := range ps {
		lines = append(lines, p.Error())
		if p.Source != "" {
			lines = append(lines, p.Source)
		}
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Key, b.Key))
	})
}

// secretRE is what names of keys and headers look like whose value must not be
// shown. What ends in _env or _file names a secret and is none.
var secretRE = regexp.MustCompile(`(?i)secret|token|passw|credential|authorization|cookie|api-?key`)

func isSecret(name string) bool {
	return secretRE.MatchString(name) && !strings.HasSuffix(name, "_env") && !strings.HasSuffix(name, "_file")
}

// source is the text of a file, as problems show it. It hides what follows the
// keys of secrets, and keys that do not exist: they may be secrets misspelt. It
// looks at the text alone, for a file that cannot be parsed must not show its
// secrets either.
type source struct {
	lines  []string
	hidden map[string]bool // last words of keys that do not exist
}

// excerpt shows line n (from 1) with a mark below the column.
func (s *source) excerpt(n, column int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	line := strings.ReplaceAll(s.lines[n-1], "\t", " ")
	if s.below(n - 1) {
		line = strings.Repeat(" ", indent(line)) + redacted
	} else if i := s.value(line); i >= 0 && strings.TrimSpace(line[i:]) != "" {
		line = line[:i] + " " + redacted
	}
	return mark(line, n, column)
}

const redacted = "[redacted]"

// hide hides what follows a key.
func (s *source) hide(key string) {
	if words := wordRE.FindAllString(key, -1); words != nil {
		s.hidden[words[len(words)-1]] = true
	}
}

var (
	wordRE = regexp.MustCompile(`[\w-]+`)
	keyRE  = regexp.MustCompile(`([\w-]+)["']?\s*:`)
)

// value returns where the first value begins in line that must not be shown, -1 if there is none.
func (s *source) value(line string) int {
	for _, at := range keyRE.FindAllStringSubmatchIndex(line, -1) {
		if name := line[at[2]:at[3]]; isSecret(name) || s.hidden[name] {
			return at[1]
		}
	}
	return -1
}

// below reports whether line i (from 0) goes on with a value that must not be
// shown. A list may stand as far left as its key.
func (s *source) below(i int) bool {
	depth := indent(s.lines[i])
	for j := i - 1; j >= 0 && depth > 0; j-- {
		if strings.TrimSpace(s.lines[j]) == "" || indent(s.lines[j]) >= depth {
			continue
		}
		if s.value(s.lines[j]) >= 0 {
			return true
		}
		depth = indent(s.lines[j])
	}
	return false
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t-")) }

// userRE finds credentials in a URL.
var userRE = regexp.MustCompile(`://[^/\s@"']*@`)

const widest = 160 // of an excerpt, in characters

func mark(line string, n, column int) string {
	runes := []rune(userRE.ReplaceAllString(line, "://[redacted]@"))
	more := ""
	if len(runes) > widest {
		runes, more = runes[:widest], "…"
	}
	out := fmt.Sprintf("%5d | %s%s", n, string(runes), more)
	if column > 0 && column <= len(runes)+1 {
		out += "\n      | " + strings.Repeat(" ", column-1) + "^"
	}
	return out
}
