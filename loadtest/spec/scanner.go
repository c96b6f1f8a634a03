package spec

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ThresholdError is what is wrong with a threshold.
type ThresholdError struct {
	Column int // in characters, from 1
	What   string
	Do     string // to put it right
}

func (e *ThresholdError) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Column, e.What)
	if e.Do != "" {
		text += "; " + e.Do
	}
	return text
}

// scanner goes through the text of a threshold.
type scanner struct {
	text string
	pos  int // in bytes
}

// column returns where the scanner stands.
func (s *scanner) column() int { return utf8.RuneCountInString(s.text[:s.pos]) + 1 }

func (s *scanner) wrong(do, what string, args ...any) *ThresholdError {
	return wrongAt(s.column(), do, what, args...)
}

func wrongAt(column int, do, what string, args ...any) *ThresholdError {
	return &ThresholdError{column, fmt.Sprintf(what, args...), do}
}

// space passes over blanks, and reports whether there are any.
func (s *scanner) space() bool {
	before := s.pos
	for s.pos < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.pos]) >= 0 {
		s.pos++
	}
	return s.pos > before
}

// accept passes over token, if it is next.
func (s *scanner) accept(token string) bool {
	if strings.HasPrefix(s.text[s.pos:], token) {
		s.pos += len(token)
		return true
	}
	return false
}

// word returns the letters that are next and belong to a word.
func (s *scanner) word(belongs func(c byte) bool) string {
	before := s.pos
	for s.pos < len(s.text) && belongs(s.text[s.pos]) {
		s.pos++
	}
	return s.text[before:s.pos]
}

// keyword passes over a whole word, if it is next.
func (s *scanner) keyword(word string) bool {
	before := s.pos
	if s.word(inName) == word {
		return true
	}
	s.pos = before
	return false
}

// rest is what is left, shortened, for messages.
func (s *scanner) rest() string {
	if s.pos == len(s.text) {
		return "the end"
	}
	return fmt.Sprintf("%q", cut(s.text[s.pos:]))
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// inName is what names of phases, faults and scenarios are made of.
func inName(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' || c == '.' }

// inMetric is what names of metrics are made of.
func inMetric(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == ':' }

func inLabel(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// inValue is what the value of a label is made of that stands without quotes.
func inValue(c byte) bool { return inName(c) || strings.IndexByte("/:+*@~", c) >= 0 }
