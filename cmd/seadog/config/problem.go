package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration file.
type Problem struct {
	File   string
	Line   int    // from 1; 0 if the file could not be read at all
	Column int    // from 1
	Key    string // path of the key, e.g. projects.web.webhook.secret; empty if the file as a whole is meant
	What   string // is wrong
	Do     string // to put it right
	Source string // the line with a mark below the column; secrets in it are redacted
}

// Error is one line: file:line:column: key: what; do.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.What)
	if p.Do != "" {
		b.WriteString("; " + p.Do)
	}
	return b.String()
}

// Problems is the error of [Load]: everything that is wrong, in the order of the file.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps))
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

// secretKeyRE finds a key whose value must not be shown, also inside a flow
// mapping; secretBlockRE one whose whole block must not be.
var (
	secretKeyRE   = regexp.MustCompile(`(?i)["']?[\w-]*(?:secret|token|passw|dsn|credential|private)[\w-]*["']?\s*:\s*`)
	secretBlockRE = regexp.MustCompile(`(?i)["']?[\w-]*(?:secret|token\b|passw|dsn|credential|private)[\w-]*["']?\s*:`)
)

// excerpt shows line number n (from 1) with a mark below the column. What
// follows a secret's key, on that line or in the block below it, is redacted;
// this works on the text alone, because a file that cannot be parsed must not leak either.
func excerpt(lines []string, n, column int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", " ")
	if belowSecret(lines, n-1) {
		line = strings.Repeat(" ", indent(line)) + "[redacted]"
	} else if i := secretIn(line); i < len(line) {
		line = line[:i] + "[redacted]"
	}
	return mark(line, n, column)
}

// secretIn returns where the first value of a secret begins in line, its
// length if there is none. The path of a secret's file is no secret.
func secretIn(line string) int {
	for _, at := range secretKeyRE.FindAllStringIndex(line, -1) {
		if key, _, _ := strings.Cut(line[at[0]:at[1]], ":"); !strings.HasSuffix(strings.Trim(key, " \"'"), "_file") {
			return at[1]
		}
	}
	return len(line)
}

// userinfoRE finds credentials in a URL.
var userinfoRE = regexp.MustCompile(`://(?:[^/\s@]*:[^/\s@]*|[^/\s@]{16,})@`)

// mark renders one line with its number and, below it, a mark at the column.
func mark(line string, n, column int) string {
	line = withoutUser(line)
	runes := []rune(line)
	if len(runes) > 160 {
		line = string(runes[:160]) + "…"
	}
	out := fmt.Sprintf("%5d | %s", n, line)
	if column > 0 && column <= min(len(runes), 160)+1 {
		out += "\n      | " + strings.Repeat(" ", column-1) + "^"
	}
	return out
}

// belowSecret reports whether line i (from 0) lies in the block of a secret's key.
func belowSecret(lines []string, i int) bool {
	depth := depthOf(lines[i])
	for j := i - 1; j >= 0 && depth > 0; j-- {
		if strings.TrimSpace(lines[j]) == "" || depthOf(lines[j]) >= depth {
			continue
		}
		if secretBlockRE.MatchString(lines[j]) {
			return true
		}
		depth = depthOf(lines[j])
	}
	return false
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// depthOf is twice the indentation, and one more for list items, which may
// stand as far left as the key that they belong to.
func depthOf(line string) int {
	n := indent(line)
	if strings.HasPrefix(line[n:], "-") {
		return 2*n + 1
	}
	return 2 * n
}
