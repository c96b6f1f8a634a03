package webhook

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLen returns the length of the JSON escape sequence that s starts with, 0 if it is none.
func escapeLen(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := codeUnit(s); ok {
			return 6
		}
	}
	return 0
}

// codeUnit returns the UTF-16 code unit of the \uXXXX that s starts with.
func codeUnit(s []byte) (unit rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}

// unescape resolves the escape sequences of raw, which are known to be right,
// until it has at least limit bytes.
func unescape(raw []byte, limit int) []byte {
	s := make([]byte, 0, min(len(raw), limit+utf8.UTFMax))
	for len(raw) > 0 && len(s) < limit {
		if raw[0] != '\\' {
			s = append(s, raw[0])
			raw = raw[1:]
			continue
		}
		if unit, ok := codeUnit(raw); ok {
			raw = raw[6:]
			if utf16.IsSurrogate(unit) {
				low, _ := codeUnit(raw)
				if unit = utf16.DecodeRune(unit, low); unit != utf8.RuneError {
					raw = raw[6:]
				}
			}
			s = utf8.AppendRune(s, unit)
			continue
		}
		s = append(s, shortEscape(raw[1]))
		raw = raw[2:]
	}
	return s
}

// shortEscape returns what a backslash and c stand for.
func shortEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
