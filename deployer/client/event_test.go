package client

import (
	"strings"
	"testing"
)

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		"retry: 1000\n\n: here\n\nid: 0:1\nevent: line\ndata: {}\n\n",
		"data: a\ndata:b\r\n\r\ndata\n\nid\ndata: x\n\n",
		"event: end\n\nid: 1\n\ndata:", ":\n:\n\n\nretry: x\nretry: 99999999\ndata: 1\n\n", "id: a\x00b\ndata: 1\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		lines := newLineReader(strings.NewReader(in))
		frames := frameReader{lines: &lines}
		for {
			e, err := frames.next()
			if err != nil {
				break
			}
			if strings.ContainsRune(e.kind, '\n') || strings.ContainsAny(e.id, "\n\x00") {
				t.Fatalf("event %q, id %q", e.kind, e.id)
			}
			if e.retry < 0 || len(e.data) > len(in) {
				t.Fatalf("retry %v, %d bytes of data out of %d", e.retry, len(e.data), len(in))
			}
		}
	})
}

func TestFramesFollowTheFormat(t *testing.T) {
	t.Parallel()
	lines := newLineReader(strings.NewReader(
		"event: forgotten\n\ndata: a\ndata:b\r\n\r\nid: 1:2\nunknown: x\nevent: line\ndata:  two spaces\n\ndata: keeps the id\n\ndata: no end"))
	frames := frameReader{lines: &lines}
	for _, want := range []struct{ kind, id, data string }{
		{"", "", "a\nb"},
		{"line", "1:2", " two spaces"},
		{"", "1:2", "keeps the id"},
	} {
		got, err := frames.next()
		if err != nil || got.kind != want.kind || got.id != want.id || string(got.data) != want.data {
			t.Errorf("got %q %q %q, %v; want %q", got.kind, got.id, got.data, err, want)
		}
	}
	if _, err := frames.next(); err == nil {
		t.Error("an event without end was accepted")
	}
}
