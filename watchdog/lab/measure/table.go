package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// table prints a row for each cell as it is measured. Cells with the same
// figures share a heading.
type table struct {
	w       io.Writer
	heading []string
}

func (t *table) row(r report) {
	names, values := []string{"cell"}, []string{r.Cell}
	for _, f := range r.Figures {
		names, values = append(names, f.Name), append(values, f.Value)
	}
	names, values = append(names, "bars"), append(values, r.verdict())
	if !slices.Equal(names, t.heading) && len(r.Figures) > 0 {
		t.heading = names
		fmt.Fprintln(t.w)
		t.line(names)
		t.line(slices.Repeat([]string{"---"}, len(names)))
	}
	t.line(values)
	for _, b := range r.Bars {
		if !b.Met {
			fmt.Fprintf(t.w, "    missed: %s: %s\n", b.Name, b.Detail)
		}
	}
	if r.Note != "" && !r.met() {
		fmt.Fprintf(t.w, "    %s\n", r.Note)
	}
	if r.Error != "" {
		fmt.Fprintf(t.w, "    %s\n", strings.ReplaceAll(r.Error, "\n", "\n    "))
	}
}

// line prints one row; the columns are as wide as their headings at least.
func (t *table) line(values []string) {
	var b strings.Builder
	for i, v := range values {
		width := 0
		if i < len(t.heading) {
			width = utf8.RuneCountInString(t.heading[i])
		}
		if i == 0 {
			width = 18
		}
		b.WriteString("| " + v + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(v))) + " ")
	}
	fmt.Fprintln(t.w, b.String()+"|")
}

func (r *report) verdict() string {
	missed := 0
	for _, b := range r.Bars {
		if !b.Met {
			missed++
		}
	}
	switch {
	case r.Error != "":
		return "not measured"
	case r.Skipped != "":
		return "skipped: " + r.Skipped
	case missed > 0:
		return fmt.Sprintf("%d of %d missed", missed, len(r.Bars))
	}
	return "met"
}

// summarize prints the last line and returns the exit code.
func summarize(w io.Writer, reports []report) int {
	var bars, missed, broken int
	var skipped []string
	for _, r := range reports {
		bars += len(r.Bars)
		for _, b := range r.Bars {
			if !b.Met {
				missed++
			}
		}
		if r.Error != "" {
			broken++
		}
		if r.Skipped != "" {
			skipped = append(skipped, r.Cell)
		}
	}
	fmt.Fprintf(w, "\n%d cells, %d bars, %d missed, %d cells could not be measured", len(reports), bars, missed, broken)
	if len(skipped) > 0 {
		fmt.Fprintf(w, ", not run: %s", strings.Join(skipped, ", "))
	}
	fmt.Fprintln(w)
	switch {
	case missed > 0:
		return exitMissed
	case broken > 0:
		return exitUnknown
	}
	return 0
}
