package transcript

import (
	"bytes"
	"unicode/utf8"
)

const escape = 0x1b

// clean appends to dst what is safe to show of line: without escape sequences
// and control characters (a tab stays), in valid UTF-8, and of a progress line
// that was rewritten with carriage returns only the last state.
func clean(dst, line []byte) []byte {
	line = bytes.TrimRight(line, "\r\n")
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	for len(line) > 0 {
		n := plain(line)
		dst = append(dst, line[:n]...)
		if line = line[n:]; len(line) == 0 {
			break
		}
		switch c := line[0]; {
		case c == escape:
			line = line[sequence(line):]
		case c < 0x20 || c == 0x7f:
			line = line[1:]
		default:
			r, size := utf8.DecodeRune(line)
			if !hidden(r) {
				dst = utf8.AppendRune(dst, r) // U+FFFD for what is invalid
			}
			line = line[size:]
		}
	}
	return dst
}

// plain is the length of the printable ASCII at the start of b, which is nearly all there is.
func plain(b []byte) int {
	for i, c := range b {
		if (c < 0x20 && c != '\t') || c >= 0x7f {
			return i
		}
	}
	return len(b)
}

// hidden reports whether r is a control character of the upper half (which
// some terminals obey like an escape), or turns the direction of the text
// around it, which makes a log read differently from what it says.
func hidden(r rune) bool {
	return r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}

// sequence is the length of the escape sequence that b starts with:
//
//	ESC [ 31;1 m          control sequence, up to a byte in @…~
//	ESC ] 0;title BEL     string (also P, X, ^, _), up to BEL or ESC \
//	ESC ( B               others: intermediate bytes and one final byte
//
// One without an end is as long as the line.
func sequence(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
			if b[i] < 0x20 || b[i] > 0x7e { // broken: what follows is text again
				return i
			}
		}
		return len(b)
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(b); i++ {
			if b[i] == 0x07 {
				return i + 1
			}
			if b[i] == escape {
				return min(i+2, len(b))
			}
		}
		return len(b)
	}
	for i := 1; i < len(b); i++ {
		if b[i] < 0x20 || b[i] > 0x2f {
			if b[i] >= 0x30 && b[i] <= 0x7e {
				return i + 1
			}
			return i
		}
	}
	return len(b)
}
