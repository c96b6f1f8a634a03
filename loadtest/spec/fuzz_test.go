package spec_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seadog/seadog/loadtest/spec"
)

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(spec.Example()))
	f.Add([]byte(parts(head, "service: {run: lab}\n", phases, web, "repeat: 3\n")))
	// Drawing hundreds of millions of arrivals is slow, and no error.
	slow := regexp.MustCompile(`poisson`)
	f.Fuzz(func(t *testing.T, text []byte) {
		if slow.Match(text) {
			return
		}
		s, err := spec.Parse("x.yaml", text, options())
		if err == nil {
			printsBack(t, s)
			return
		}
		lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 1
		for _, p := range err.(spec.Problems) {
			if p.Line < 1 || p.Line > lines+1 || p.Column < 1 || p.What == "" || p.File == "" {
				t.Fatalf("no position: %+v", p)
			}
		}
	})
}

// FuzzFormat puts any text where a scenario may hold any.
func FuzzFormat(f *testing.F) {
	for _, text := range []string{"plain", "null", "Null", "no", "~", "1.10", "a: b # c", "- x", "{{", "\"q\"'", "two\nlines\n", "  indented\n\n\n", "\t", "é\u2028\u00a0", "|", ">", "@a", "%", "*a", "a\\b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1000 {
			return
		}
		s := parse(t, parts(head, "service: {run: serve}\n", phases, web))
		s.Description = strings.TrimSpace(text)
		s.Traffic[0].Expect.Contains = text
		s.Service.Options = map[string]string{"config": text}
		printsBack(t, s)
	})
}
