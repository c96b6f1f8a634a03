package record

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of stored text, in bytes. What a sender controls must neither fill the
// disk nor exceed what an index can hold.
const (
	short   = 255
	message = 512
	long    = 4096
)

// Clean returns s as both databases store it: valid UTF-8 without NUL (which
// PostgreSQL refuses), at most limit bytes. What cannot be stored becomes U+FFFD.
func Clean(s string, limit int) string {
	// A rune that this cuts in two is beyond the limit, and goes below.
	s = s[:min(len(s), limit+utf8.UTFMax)]
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// Micro returns t in UTC and as precise as it is stored. The zero time stays zero.
func Micro(t time.Time) time.Time { return stamp(micros(t)) }

// micros returns t as it is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// optional is micros for a time that may be missing.
func optional(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return micros(*t)
}

// stamp is the inverse of micros.
func stamp(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// maybe is the inverse of optional.
func maybe(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	t := stamp(us)
	return &t
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
