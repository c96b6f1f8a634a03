package transcript

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
)

const (
	mask = "[redacted]"
	// shortest is the length in bytes below which a secret cannot be redacted
	// without making everything unreadable.
	shortest = 4
	// longestURL is up to where the user information of a URL is kept together
	// when a line has to be cut.
	longestURL = 512
	// filterBits makes the filter 8 KiB, which stays in the first-level cache.
	filterBits = 16
)

// Redactor takes known secrets out of text: as they are; line by line if they
// have several lines; and as URL, JSON, shell, Compose and base64 encoding
// write them, also in the middle of a longer base64 text. It takes out
// the user information of URLs in any case. It is immutable, and may be used concurrently. The
// zero value knows no secret.
//
// Secrets shorter than 4 bytes are not redacted.
type Redactor struct {
	// filter has a bit for the hash of the first four bytes of every pattern:
	// one load per byte of text decides nearly always that nothing starts there.
	filter   [1 << filterBits / 64]uint64
	patterns map[uint32][][]byte // by their first four bytes, longest first
	longest  int
}

// NewRedactor returns a redactor of secrets.
func NewRedactor(secrets ...deployer.Secret) *Redactor {
	r := &Redactor{patterns: map[uint32][][]byte{}}
	for _, s := range secrets {
		for form := range forms(s.Reveal()) {
			r.add(form)
		}
	}
	for key := range r.patterns {
		slices.SortFunc(r.patterns[key], func(a, b []byte) int { return len(b) - len(a) })
	}
	return r
}

func (r *Redactor) add(pattern string) {
	if len(pattern) < shortest {
		return
	}
	key := binary.LittleEndian.Uint32([]byte(pattern[:4]))
	r.patterns[key] = append(r.patterns[key], []byte(pattern))
	h := hash(key)
	r.filter[h/64] |= 1 << (h % 64)
	r.longest = max(r.longest, len(pattern))
}

func hash(key uint32) uint32 { return (key * 0x9e3779b1) >> (32 - filterBits) }

// Redact returns line without secrets: line itself if there is nothing in it,
// else a copy. It does not change line.
func (r *Redactor) Redact(line []byte) []byte {
	return redactURLs(r.replace(line))
}

// String is [Redactor.Redact] for strings.
func (r *Redactor) String(s string) string {
	b := []byte(s)
	if out := r.Redact(b); !bytes.Equal(out, b) {
		return string(out)
	}
	return s
}

func (r *Redactor) replace(line []byte) []byte {
	var out []byte
	done := 0
	for i := r.find(line, 0); i >= 0; i = r.find(line, i) {
		end := r.extent(line, i)
		out = append(append(out, line[done:i]...), mask...)
		done, i = end, end
	}
	if out == nil {
		return line
	}
	return append(out, line[done:]...)
}

// find returns where the first secret at or after from begins, -1 if nowhere.
func (r *Redactor) find(line []byte, from int) int {
	if r.longest == 0 {
		return -1
	}
	for i := from; i+4 <= len(line); i++ {
		key := binary.LittleEndian.Uint32(line[i:])
		if h := hash(key); r.filter[h/64]&(1<<(h%64)) != 0 && r.match(line[i:], key) > 0 {
			return i
		}
	}
	return -1
}

// match is the length of the longest secret that b, with its first four bytes key, starts with.
func (r *Redactor) match(b []byte, key uint32) int {
	for _, p := range r.patterns[key] {
		if bytes.HasPrefix(b, p) {
			return len(p)
		}
	}
	return 0
}

// extent returns the end of the secret at begin, and of those that overlap it:
// else the end of the second would be left.
func (r *Redactor) extent(line []byte, begin int) int {
	end := begin + 1
	for i := begin; i < end && i+4 <= len(line); i++ {
		end = max(end, i+r.match(line[i:], binary.LittleEndian.Uint32(line[i:])))
	}
	return end
}

// cut returns where text, which goes on elsewhere, can be cut so that no
// secret and no URL lies on both sides: what follows the cut may be the beginning of one.
func (r *Redactor) cut(text []byte) int {
	at := max(0, len(text)-max(r.longest, longestURL))
	if i := bytes.LastIndexByte(text[max(0, at-longestURL):at], ' '); i >= 0 {
		at = max(0, at-longestURL) + i
	}
	for i := r.find(text, 0); i >= 0 && i < at; {
		end := r.extent(text, i)
		if end > at {
			return end
		}
		i = r.find(text, end)
	}
	return at
}

// forms lists the ways in which a secret may be written, without duplicates.
func forms(secret string) map[string]bool {
	set := map[string]bool{}
	plain := []string{secret, string(clean(nil, []byte(secret))), strings.TrimSpace(secret)}
	for line := range strings.SplitSeq(secret, "\n") {
		plain = append(plain, strings.TrimSpace(line))
	}
	for _, s := range plain {
		if len(s) < shortest {
			continue
		}
		for _, form := range encodings(s) {
			if len(form) >= shortest {
				set[form] = true
			}
		}
	}
	return set
}

func encodings(s string) []string {
	list := []string{
		s,
		url.QueryEscape(s), url.PathEscape(s), lowerEscapes(url.QueryEscape(s)), lowerEscapes(url.PathEscape(s)),
		url.UserPassword("", s).String()[1:],
		strings.ReplaceAll(s, "$", "$$"),   // docker compose config
		strings.ReplaceAll(s, "'", "''"),   // YAML
		strings.ReplaceAll(s, "'", `'\''`), // shell
		jsonEscape(s, true), jsonEscape(s, false),
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		list = append(list, enc.EncodeToString([]byte(s)))
	}
	return append(list, insideBase64(s)...)
}

// insideBase64 lists what is always there when s is somewhere inside of a
// longer text that is base64 encoded as a whole, as in "Authorization: Basic" or Docker's
// auth: the characters that its neighbours have no part in, for each of the three alignments.
func insideBase64(s string) []string {
	var list []string
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := enc.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
			from := (before*8 + 5) / 6
			to := (before + len(s)) * 8 / 6
			if to-from >= 8 { // shorter ones occur by chance
				list = append(list, text[from:to])
			}
		}
	}
	return list
}

func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

func jsonEscape(s string, html bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	if e.Encode(s) != nil {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}
