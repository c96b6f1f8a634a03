package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestSizesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "4096B": 4096, "1K": 1 << 10, "1KiB": 1 << 10, "128MiB": 128 << 20, "2G": 2 << 30,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "1MB", "1 MiB", "-1", "1.5GiB", "1iB", "1KK", "0x10", "9223372036854775807G"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestTheLabRefusesASizeThatIsNone(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	e := &env{Args: []string{"lab", "--max-rss", "much"}, Stdout: &errs, Stderr: &errs, Getenv: func(string) string { return "" }}
	if code := run(t.Context(), e); code != exitUsage || !strings.Contains(errs.String(), `"much" is no size`) {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
