package spec

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// Write writes the plan for people.
func (p *Plan) Write(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s against %s, seed %d: %s", p.Scenario, orWord(p.Target, "a service that is started for it"), p.Seed, shownTime(p.Length))
	if p.Repeat > 1 {
		fmt.Fprintf(b, ", %d times (%s)", p.Repeat, shownTime(p.Length*time.Duration(p.Repeat)))
	}
	fmt.Fprintf(b, "\n%s requests, at most %s", grouped(p.Hits), shownRate(p.Peak))
	if p.Bytes > 0 {
		fmt.Fprintf(b, ", about %s of bodies", shownBytes(p.Bytes))
	}
	b.WriteString("\n")
	fmt.Fprintf(b, "%s connections at once, %s new ones in the busiest minute: needs %s descriptors and %s free ports\n\n",
		grouped(uint64(p.Connections)), grouped(p.Dials), grouped(uint64(p.Descriptors)), grouped(p.Ports))
	p.tables(b)
	for _, n := range p.Notes {
		fmt.Fprintf(b, "note: %s\n", n)
	}
	if p.Decidable {
		b.WriteString("A verdict can be reached.\n")
	} else {
		b.WriteString("No verdict can be reached: there are too few samples.\n")
	}
	// Cells are padded also where nothing follows.
	if _, err := io.WriteString(w, paddingRE.ReplaceAllString(b.String(), "\n")); err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return nil
}

var paddingRE = regexp.MustCompile(` +\n`)

func (p *Plan) String() string {
	var b strings.Builder
	_ = p.Write(&b) // a Builder takes everything
	return b.String()
}

func (p *Plan) tables(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }
	row("phase", "from", "for", "judged", "scale", "requests", "peak", "of which")
	for _, x := range p.Phases {
		var loads []string
		for _, l := range x.Loads {
			loads = append(loads, fmt.Sprintf("%s %s", l.Traffic, grouped(l.Hits)))
		}
		row(x.Name, shownTime(x.Begins), shownTime(x.For), yes(x.Judged), plain(x.Scale), grouped(x.Hits), shownRate(x.Peak), strings.Join(loads, ", "))
	}
	row()
	row("scenario", "pacing", "judged", "requests", "peak", "again", "spoiled", "bodies")
	for _, x := range p.Traffic {
		row(x.Name, x.Pacing, yes(x.Judged), grouped(x.Hits), shownRate(x.Peak), grouped(x.Repeated), grouped(x.Negatives), shownBytes(x.Bytes))
	}
	if len(p.Faults) > 0 {
		row()
		row("fault", "from", "to", "what")
	}
	for i, x := range p.Faults {
		if i == 20 {
			row(fmt.Sprintf("and %d more", len(p.Faults)-i))
			break
		}
		row(x.Name, shownTime(x.Begins), shownTime(x.Ends), x.What)
	}
	if len(p.Thresholds) > 0 {
		row()
		row("threshold", "scope", "windows", "samples", "needs", "")
	}
	for _, x := range p.Thresholds {
		windows, samples, needs := "", "", ""
		if x.Windows > 0 {
			windows = grouped(uint64(x.Windows))
		}
		if x.Needs > 0 {
			samples, needs = grouped(x.Samples), grouped(x.Needs)
		}
		row(x.Text, x.Scope+", "+shownTime(x.For), windows, samples, needs, x.Why)
	}
	row()
	_ = t.Flush() // a Builder takes everything
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orWord(text, word string) string {
	if text == "" {
		return word
	}
	return text
}

// shownTime is a duration without zeros at its end: 2m, not 2m0s.
func shownTime(d time.Duration) string {
	text := d.Round(time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func shownRate(r float64) string { return fmt.Sprintf("%.4g/s", r) }

func shownBytes(n int64) string {
	for _, u := range sizeUnits[:3] {
		if n >= u.bytes {
			return fmt.Sprintf("%.3g %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// grouped is a number with its thousands apart: 1,234,567.
func grouped(n uint64) string {
	digits := fmt.Sprint(n)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), ",")
}
