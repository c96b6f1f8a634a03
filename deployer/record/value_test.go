package record_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer/record"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain", 10, "plain"},
		{"plain", 3, "pla"},
		{"Grüße", 3, "Gr"},
		{"Grüße", 4, "Grü"},
		{"🐕🐕", 7, "🐕"},
		{"a\x00b", 10, "a\uFFFDb"},
		{"\xff\xfe", 10, "\uFFFD"},
		{"\x00\x00", 4, "\uFFFD"},
		{"", 10, ""},
	} {
		if got := record.Clean(c.in, c.limit); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\xf0\x9f\x90", "Grüße 🐕", strings.Repeat("\x80", 9)} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1<<20 {
			t.Skip()
		}
		got := record.Clean(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.Contains(got, "\x00") || record.Clean(got, limit) != got {
			t.Errorf("Clean(%q, %d) = %q", s, limit, got)
		}
		if len(s) <= limit && utf8.ValidString(s) && !strings.Contains(s, "\x00") && got != s {
			t.Errorf("Clean(%q, %d) changed it to %q", s, limit, got)
		}
	})
}

func TestMicro(t *testing.T) {
	if !record.Micro(time.Time{}).IsZero() {
		t.Error("the zero time did not stay zero")
	}
	in := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	if got, want := record.Micro(in), time.Date(2026, 1, 2, 2, 4, 5, 123456000, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("got %v, want %v", got, want)
	}
}
