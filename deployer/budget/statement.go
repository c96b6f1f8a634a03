package budget

import "strings"

// maxStatement is how much of a statement is kept, in bytes.
const maxStatement = 500

// Normalize reduces an SQL statement to its shape: comments go, white space
// becomes one space, literals and placeholders become ?, and a list of those
// becomes one of them.
//
//	SELECT a FROM t\n WHERE b = 'x''y' AND c IN ($1, $2, 3)
//	SELECT a FROM t WHERE b = ? AND c IN (?)
func Normalize(statement string) string {
	var out strings.Builder
	s := statement
	for len(s) > 0 && out.Len() < maxStatement {
		kind, n := token(s, out.String())
		switch kind {
		case blank:
			if out.Len() > 0 && !strings.HasSuffix(out.String(), " ") {
				out.WriteByte(' ')
			}
		case value:
			if listed := strings.TrimRight(out.String(), " ,"); strings.HasSuffix(listed, "?") && listed != strings.TrimRight(out.String(), " ") {
				out.Reset()
				out.WriteString(listed)
			} else {
				out.WriteByte('?')
			}
		case other:
			out.WriteString(s[:n])
		}
		s = s[n:]
	}
	return strings.TrimSpace(out.String())
}

type kind int

const (
	other kind = iota
	blank
	value
)

// token returns the kind and length of what s begins with, given what came before.
func token(s, before string) (kind, int) {
	switch c := s[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return blank, 1
	case strings.HasPrefix(s, "--"):
		return blank, until(s, "\n")
	case strings.HasPrefix(s, "/*"):
		return blank, until(s, "*/")
	case c == '\'':
		return value, quoted(s)
	case c == '?' || c == '$':
		return value, 1 + word(s[1:])
	case c >= '0' && c <= '9' && !wordByte(last(before)):
		return value, number(s)
	case wordByte(c):
		return other, word(s)
	}
	return other, 1
}

func last(s string) byte {
	if s == "" {
		return ' '
	}
	return s[len(s)-1]
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func word(s string) int {
	for i := range len(s) {
		if !wordByte(s[i]) {
			return i
		}
	}
	return len(s)
}

func number(s string) int {
	for i := range len(s) {
		if !wordByte(s[i]) && s[i] != '.' {
			return i
		}
	}
	return len(s)
}

// until returns the length of s up to and including end.
func until(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// quoted returns the length of the string literal that s begins with; ” inside stands for one quote.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return i + 1
		}
		i++
	}
	return len(s)
}
