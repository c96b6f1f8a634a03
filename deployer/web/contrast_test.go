package web_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// colours reads the custom properties of the style sheet: light and dark.
func colours(t *testing.T) map[string][2]string {
	t.Helper()
	css, err := os.ReadFile("assets/seadog.css")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][2]string)
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindAllStringSubmatch(string(css), -1) {
		all[m[1]] = [2]string{m[2], m[3]}
	}
	if len(all) < 30 {
		t.Fatalf("only %d colours were found", len(all))
	}
	return all
}

// luminance is that of WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestColoursCanBeTold: text has 4.5 : 1, and what marks the border of a field
// or a sign has 3 : 1, against everything that it stands on.
func TestColoursCanBeTold(t *testing.T) {
	t.Parallel()
	const text, sign = 4.5, 3.0
	tones := []string{"good", "warn", "bad", "busy", "wait", "idle"}
	type pair struct {
		front, back string
		least       float64
	}
	var pairs []pair
	for _, back := range []string{"bg", "card", "soft"} {
		for _, front := range append([]string{"ink", "muted", "accent"}, tones...) {
			pairs = append(pairs, pair{front, back, text})
		}
	}
	for _, tone := range tones {
		pairs = append(pairs, pair{tone, tone + "-soft", text})
	}
	pairs = append(
		pairs, pair{"accent-ink", "accent", text}, pair{"side-ink", "side", text}, pair{"side-ink", "side-here", text},
		pair{"side-here-ink", "side-here", text}, pair{"side-here-ink", "side", text}, pair{"ink", "idle-soft", text},
		pair{"log-ink", "log", text}, pair{"log-muted", "log", text}, pair{"log-alarm", "log", text}, pair{"log-alarm", "log-alarm-soft", text},
		pair{"log-ink", "log-alarm-soft", text}, pair{"log-hit-ink", "log-hit", text},
		pair{"field", "card", sign}, pair{"field", "bg", sign}, pair{"accent", "bg", sign},
	)
	all := colours(t)
	for _, p := range pairs {
		front, known := all[p.front]
		back, too := all[p.back]
		if !known || !too {
			t.Errorf("there is no %s or no %s", p.front, p.back)
			continue
		}
		for i, theme := range []string{"light", "dark"} {
			if got := contrast(t, front[i], back[i]); got < p.least {
				t.Errorf("%s on %s, %s: %s, want %.1f", p.front, p.back, theme, fmt.Sprintf("%.2f", got), p.least)
			}
		}
	}
}

// TestColoursAreNamedOnce: whatever is not among the custom properties escapes the test above.
func TestColoursAreNamedOnce(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/seadog.css")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(css), "--sans:")
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b`).FindAllString(rest, -1); len(found) > 0 {
		t.Errorf("colours outside of the custom properties: %v", found)
	}
}
