package deployer

import (
	"strings"
	"time"
	"unicode/utf8"
)

// EventKind is what a verified delivery turned out to be.
type EventKind string

const (
	EventPush  EventKind = "push"  // Pushes holds at least one push
	EventPing  EventKind = "ping"  // the sender tests the hook
	EventOther EventKind = "other" // genuine, but nothing that deploys
)

// Event is one verified and parsed delivery, whatever its provider.
type Event struct {
	Kind   EventKind
	Name   string // the provider's own name for it, e.g. "push", "Tag Push Hook", "workflow_run"
	ID     string // the provider's delivery id; the same on redelivery; "" if it has none
	Pushes []Push
}

// Push is one ref, or one image tag, that moved.
type Push struct {
	Repository string // full name or image name as the sender has it
	Ref        string // full: refs/heads/…, refs/tags/…; for images: image name:tag
	Before     string // commit before; "" if the ref is new or unknown
	After      string // commit now; "" for a deletion and for images
	Digest     string // image digest, for registry pushes
	Created    bool
	Deleted    bool
	Forced     bool
	Message    string   // of the head commit, see [ShortMessage]
	Author     string   // of the head commit
	Paths      []string // changed files; meaningful only if Complete
	Complete   bool     // Paths names every changed file. False means: treat everything as changed.
	Time       time.Time
}

// Branch returns the branch name and true if the push moved a branch.
// refs/heads/feature/main is the branch feature/main, not main.
func (p Push) Branch() (string, bool) { return strings.CutPrefix(p.Ref, "refs/heads/") }

// Tag returns the tag name and true if the push moved a tag.
func (p Push) Tag() (string, bool) { return strings.CutPrefix(p.Ref, "refs/tags/") }

// Image reports whether the push announces an image rather than a commit.
func (p Push) Image() bool { return p.Ref != "" && !strings.HasPrefix(p.Ref, "refs/") }

// maxMessage is how much of a commit message is kept, in bytes.
const maxMessage = 200

// ShortMessage returns message without surrounding white space, cut to 200 bytes between two characters. If a
// marker that [Selector] heeds stood behind the cut, it is kept at the end.
func ShortMessage(message string) string {
	message = strings.TrimSpace(message)
	if len(message) <= maxMessage {
		return message
	}
	short := cut(message, maxMessage)
	if marker := skipMarker(message); marker != "" && skipMarker(short) == "" {
		marker = " … " + marker
		short = cut(message, maxMessage-len(marker)) + marker
	}
	return short
}

// cut returns at most n bytes of s, and no half character.
func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ValidRef reports whether ref is a full Git reference that is safe to hand to
// git as an argument (git-check-ref-format, plus: it starts with refs/heads/ or refs/tags/).
func ValidRef(ref string) bool {
	name, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok {
		name, ok = strings.CutPrefix(ref, "refs/tags/")
	}
	if !ok || name == "" || len(ref) > 512 || strings.HasSuffix(ref, ".") || strings.Contains(ref, "..") ||
		strings.Contains(ref, "@{") || strings.ContainsAny(ref, " ~^:?*[\\\x7f") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	for i := range len(ref) {
		if ref[i] < 0x20 {
			return false
		}
	}
	return true
}

// ValidCommit reports whether s is a full SHA-1 or SHA-256 object name that is not all zeros.
func ValidCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	zero := true
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
		zero = zero && c == '0'
	}
	return !zero
}
