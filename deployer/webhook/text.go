package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what an event holds, in bytes or entries.
const (
	maxName    = 100
	maxAuthor  = 200
	maxID      = 200
	maxRef     = 512
	maxCommit  = 64
	maxDigest  = 200
	maxPath    = 4096
	maxMessage = 64 << 10 // searched for markers, then shortened
	maxTime    = 64

	maxPushes = 1_000
	maxPaths  = 10_000
)

// clean returns s with at most limit bytes, and with the replacement character
// for invalid UTF-8 and control characters (line breaks and tabs may stay).
// whole is false if cleaned is not what was meant.
func clean(s string, limit int) (cleaned string, whole bool) {
	if len(s) <= limit && (ascii(s) || !strings.ContainsFunc(s, unprintable)) {
		return s, true
	}
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return s, false
}

// ascii reports whether s is nothing but printable ASCII, as most of what clean gets.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// unprintable is true also for the replacement character, be it because there
// is something else in its place or because the sender replaced something.
func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}

// marked returns what clean made of a name that others compare. A changed name
// must not become another's: it ends in "...", which neither a ref nor a
// commit can contain.
func marked(s string, limit int) string {
	const mark = "..."
	s, whole := clean(s, limit)
	if whole {
		return s
	}
	s, _ = clean(s, limit-len(mark))
	return s + mark
}

// header returns a header's value for people, never aliasing the request.
func (r Request) header(name string) string {
	s, _ := clean(r.Header(name), maxName)
	return strings.Clone(s)
}

// id returns the first of the named headers that is set as a delivery id.
func (r Request) id(names ...string) string {
	for _, name := range names {
		if id := r.Header(name); id != "" {
			return deliveryID(id)
		}
	}
	return ""
}

// deliveryID returns id, or its hash if it cannot be kept as it is: two
// deliveries must not share an id because their ids were shortened.
func deliveryID(id string) string {
	if s, whole := clean(id, maxID); whole {
		return strings.Clone(s)
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}
