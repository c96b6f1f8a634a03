package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// functions are what templates can call.
func (u *UI) functions() template.FuncMap {
	return template.FuncMap{
		"asset": u.assetURL, "icon": icon,
		"ago": ago, "span": span, "clock": clock, "since": since, "length": length, "millis": millis,
		"tone": tone, "standing": standing, "words": words, "revision": revision, "shortRef": shortRef, "shortCommit": shortCommit,
		"aftermath": aftermath, "decided": decided, "verdictTone": verdictTone, "reportTone": reportTone, "trigger": trigger,
		"sentence": sentence, "commitURL": u.commitURL, "firstLine": firstLine,
		"plural": plural, "bytes": bytesText, "percent": percent,
		"may":   func(f frame, scope string) bool { return f.Person.Scope.Includes(deployer.Scope(scope)) },
		"query": query, "inc": func(n int) int { return n + 1 }, "dec": func(n int) int { return n - 1 }, "list": func(values ...any) []any { return values }, "dict": dict,
	}
}

// dict makes the data of a template out of names and values.
func dict(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// query returns "?name=value&…" of what is not empty.
func query(pairs ...any) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := fmt.Sprint(pairs[i+1]); value != "" && value != "0" {
			q.Set(fmt.Sprint(pairs[i]), value)
		}
	}
	if len(q) == 0 {
		return "?"
	}
	return "?" + q.Encode()
}

// timeElement is a moment, with words for people. The words are left out where
// now is not known.
func timeElement(t time.Time, kind, words string) template.HTML {
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-%s="%d" title="%s">%s</time>`, //nolint:gosec // nothing in it was written by others
		t.UTC().Format(time.RFC3339), kind, t.UnixMilli(), t.UTC().Format("2006-01-02 15:04:05 MST"), words))
}

// ago says how long ago t was.
func ago(now, t time.Time) template.HTML {
	if now.IsZero() {
		return timeElement(t, "ago", "")
	}
	return timeElement(t, "ago", agoText(now.Sub(t)))
}

// agoText is rough on purpose, and so does not change all the time. The script
// says the same.
func agoText(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + roughly(-d)
	case d < 5*time.Second:
		return "just now"
	}
	return roughly(d) + " ago"
}

func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d/day))
}

// since says how long something goes on that began at t.
func since(now, t time.Time) template.HTML {
	if now.IsZero() {
		return timeElement(t, "since", "")
	}
	return timeElement(t, "since", length(now.Sub(t)))
}

// span is how long something took, or takes that is not over.
func span(now, from time.Time, to *time.Time) template.HTML {
	if to == nil {
		return since(now, from)
	}
	return template.HTML(template.HTMLEscapeString(length(to.Sub(from)))) //nolint:gosec // escaped
}

// clock is the time of day, and the day if it is another one.
func clock(now, t time.Time) template.HTML {
	layout := "15:04:05"
	if now.IsZero() || now.UTC().Format(time.DateOnly) != t.UTC().Format(time.DateOnly) {
		layout = "Jan 2 15:04"
	}
	return timeElement(t, "clock", t.UTC().Format(layout))
}

// length is exact where that is of use.
func length(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func millis(ms int64) string { return length(time.Duration(ms) * time.Millisecond) }

// plural counts things; n is any whole number.
func plural(n any, noun string) string {
	if text := fmt.Sprint(n); text != "1" {
		if strings.HasSuffix(noun, "sh") {
			return text + " " + noun + "es"
		}
		return text + " " + noun + "s"
	}
	return "1 " + noun
}

func bytesText(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d B", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// percent of whole, from 0 to 100.
func percent(part, whole time.Duration) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, max(0, 100*part/whole)))
}

// firstLine is the subject of a commit message.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
