package webhook

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// skipAll reads data as one JSON value and returns the error.
func skipAll(data []byte) error {
	c := &cursor{data: data}
	c.skip()
	return c.close()
}

func TestCursorAcceptsWhatEncodingJSONAccepts(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		``, ` `, `{}`, ` { } `, `[]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{a:1}`, `{"a":1 "b":2}`,
		`{"a":[{"b":null}]}`, `nul`, `null`, `nulll`, `true`, `tru`, `false`, `True`, `0`, `-0`, `00`, `01`, `-`, `1.`, `.1`, `1.5`, `1e`, `1e5`, `1E+5`,
		`1e-`, `-1.5e-7`, `+1`, `0x1`, `NaN`, `""`, `"`, `"\"`, `"\\"`, `"\u12"`, `"\u12gh"`, `"\u1234"`, `"\ud83d\ude00"`, `"\x"`, `"\/"`, "\"\x1f\"", "\"\x7f\"",
		"\"\xff\"", "\ufeff{}", `{}{}`, `{} x`, `[`, `[[`, `{`, `]`, `}`, `{"a":1`, `"12345678"`, `"1234567"`, `"123456789\n"`, "\"12345678\n\"", `{"a":1}` + "\x00",
	} {
		if got, want := skipAll([]byte(doc)) == nil, json.Valid([]byte(doc)); got != want {
			t.Errorf("%q: accepted %v, encoding/json says %v", doc, got, want)
		}
	}
}

func TestCursorStopsAtItsDepth(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		nest := func(depth int) []byte {
			return []byte(strings.Repeat(pair[0], depth) + "1" + strings.Repeat(pair[1], depth))
		}
		if err := skipAll(nest(maxDepth)); err != nil {
			t.Errorf("depth %d: %v", maxDepth, err)
		}
		for _, depth := range []int{maxDepth + 1, 20_000, 1_000_000} {
			if err := skipAll(nest(depth)); err == nil || !strings.Contains(err.Error(), "nested deeper") {
				t.Errorf("depth %d: got %v, want a complaint about nesting", depth, err)
			}
			if err := skipAll([]byte(strings.Repeat(pair[0], depth))); err == nil {
				t.Errorf("depth %d, never closed: accepted", depth)
			}
		}
	}
}

func TestCursorReadsEscapedKeysAndDeepFields(t *testing.T) {
	t.Parallel()
	c := open([]byte(`{"skipped":{"ref":"no"},"\u0072ef":"yes","text":null,"object":null,"list":null,"flag":null,"number":null,"n":-12}`))
	var ref string
	var n int
	for key := range c.members() {
		switch string(key) {
		case "ref":
			ref = c.name(maxRef)
		case "text", "object", "list", "flag", "number":
			if !null(c, string(key)) {
				t.Errorf("null does not read as an empty %s", key)
			}
		case "n":
			n = c.number()
		}
	}
	if err := c.close(); err != nil || ref != "yes" || n != -12 {
		t.Errorf("got %q, %d, %v; want yes, -12", ref, n, err)
	}
}

// null reads the value at hand as what kind says, and reports whether that is the zero value.
func null(c *cursor, kind string) bool {
	switch kind {
	case "text":
		return c.text(9) == ""
	case "object":
		return c.member(9, "a") == ""
	case "list":
		return c.commits(0).count == 0
	case "flag":
		return !c.flag()
	}
	return c.number() == 0
}

func TestCursorLeavesEarlyLoopsInOrder(t *testing.T) {
	t.Parallel()
	c := open([]byte(`{"a":[1,2,3],"b":{"x":1,"y":2},"c":true}`))
	var c3 bool
	for key := range c.members() {
		switch string(key) {
		case "a":
			for range c.elements() {
				break
			}
		case "b":
			for range c.members() {
				break
			}
		case "c":
			c3 = c.flag()
		}
	}
	if err := c.close(); err != nil || !c3 {
		t.Errorf("got %v, %v; want true", c3, err)
	}
}

// FuzzCursor holds the reader against encoding/json: the same documents are
// valid, and strings read the same.
func FuzzCursor(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no payloads", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range []string{`"\ud800A\udc00\ud83d\ude00\n"`, `[1,2.5e3,-0]`, "\"\xff\xed\xa0\x80é\"", `{"a":{"b":[null,true]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := skipAll(data)
		if deep := err != nil && strings.Contains(err.Error(), "nested deeper"); deep {
			return
		}
		if valid := json.Valid(data); valid != (err == nil) {
			t.Fatalf("%q: valid is %v, the cursor says %v", data, valid, err)
		}
		var want string
		if err != nil || json.Unmarshal(data, &want) != nil || strings.TrimSpace(string(data)) == "null" {
			return
		}
		c := &cursor{data: data}
		want, _ = clean(want, 1<<20)
		if got := c.text(1 << 20); got != want || c.close() != nil {
			t.Fatalf("%q: got %q, want %q", data, got, want)
		}
		c = &cursor{data: data}
		if got := c.text(10); len(got) > 10 || !strings.HasPrefix(want, got) {
			t.Fatalf("%q: shortened to %q of %q", data, got, want)
		}
		c = &cursor{data: data}
		if got := c.name(10); len(got) > 10 || got != want && !strings.HasSuffix(got, "...") {
			t.Fatalf("%q: name %q of %q is not marked", data, got, want)
		}
	})
}
