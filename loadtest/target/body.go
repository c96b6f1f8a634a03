package target

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/seadog/seadog/loadtest"
)

// mostBody is the longest body: GitHub's limit, and some.
const mostBody = 64 << 20

// body writes the bodies of one traffic. Immutable; nil writes none.
type body struct {
	text     text
	push     *pushes
	noise    bool // random letters
	min, max int64
}

func newBody(r *loadtest.Request) (*body, error) {
	from := &r.Body
	b := &body{min: from.MinSize, max: max(from.MinSize, from.MaxSize)}
	if b.min < 0 || b.max > mostBody {
		return nil, fmt.Errorf("body: %d to %d bytes; write sizes up to 64MiB", b.min, b.max)
	}
	source := from.Text
	switch {
	case from.Push == "github":
		var err error
		if b.push, err = newPushes(r); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		return b, nil
	case from.Push != "":
		return nil, fmt.Errorf("body: there are no pushes of %q; write github", from.Push)
	case from.File != "":
		raw, err := os.ReadFile(from.File)
		if err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
		if source = string(raw); len(raw) > mostBody {
			return nil, fmt.Errorf("body: %s has %d bytes; at most 64MiB are sent", from.File, len(raw))
		}
	case source == "" && b.max == 0:
		return nil, nil
	case source == "":
		b.noise = true
	}
	var err error
	if b.text, err = parse(source); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return b, nil
}

// fixed reports whether all bodies are the same.
func (b *body) fixed() bool { return b.push == nil && !b.noise && b.text.fixed() && b.min == b.max }

// write appends a body. A text that is too short is lengthened with spaces,
// which mean nothing to JSON.
func (b *body) write(to []byte, f *facts) []byte {
	size := b.min
	if b.max > b.min {
		size += int64(f.draw.Uint64() % uint64(b.max-b.min+1))
	}
	switch {
	case b.push != nil:
		return b.push.write(to, f, int(size))
	case b.noise:
		return appendNoise(to, f.draw, int(size))
	}
	start := len(to)
	to = b.text.fill(to, f)
	return pad(to, start+int(size))
}

// pad lengthens b to n bytes.
func pad(b []byte, n int) []byte {
	if n <= len(b) {
		return b
	}
	return append(b, bytes.Repeat([]byte{' '}, n-len(b))...)
}

func appendNoise(b []byte, draw *rand.PCG, n int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	for n > 0 {
		for x, i := draw.Uint64(), 0; i < 10 && n > 0; x, i, n = x>>6, i+1, n-1 {
			b = append(b, letters[x&63])
		}
	}
	return b
}
