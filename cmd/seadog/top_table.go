package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// topColumn is a column of a table that must fit a screen.
type topColumn struct {
	title   string
	number  bool // aligned to the right
	elastic bool // may be cut
	keep    int  // columns with the lowest go first where there is no room
}

// topTable is a [table] for a screen whose size changes: columns are cut, then left out.
type topTable struct {
	columns []topColumn
	rows    [][]cell
}

func (tb *topTable) add(cells ...cell) {
	for i := range cells {
		cells[i].text = strings.ReplaceAll(printable(cells[i].text), "\t", " ")
	}
	tb.rows = append(tb.rows, cells)
}

// lines returns the header and the rows, none wider than width; 0 is no limit.
func (tb *topTable) lines(t *terminal, width int) []string {
	measure := &runewidth.Condition{}
	widths := tb.fit(measure, width)
	lines := make([]string, 0, len(tb.rows)+1)
	header := make([]cell, len(tb.columns))
	for i, c := range tb.columns {
		header[i] = cell{c.title, dim}
	}
	lines = append(lines, tb.line(t, measure, header, widths))
	for _, row := range tb.rows {
		lines = append(lines, tb.line(t, measure, row, widths))
	}
	return lines
}

func (tb *topTable) line(t *terminal, measure *runewidth.Condition, row []cell, widths []int) string {
	var b strings.Builder
	blank := 0 // written only in front of something
	first := true
	for i, c := range row {
		if widths[i] < 0 {
			continue
		}
		if !first {
			blank += gap
		}
		first = false
		text := measure.Truncate(c.text, widths[i], "…")
		rest := widths[i] - measure.StringWidth(text)
		if tb.columns[i].number {
			blank, rest = blank+rest, 0
		}
		if text != "" {
			b.WriteString(strings.Repeat(" ", blank))
			b.WriteString(t.paint(c.style, text))
			blank = 0
		}
		blank += rest
	}
	return b.String()
}

// fit returns the widths of the columns, -1 for those that are left out.
func (tb *topTable) fit(measure *runewidth.Condition, limit int) []int {
	widths := make([]int, len(tb.columns))
	total := -gap
	for i, c := range tb.columns {
		widths[i] = measure.StringWidth(c.title)
		for _, row := range tb.rows {
			widths[i] = max(widths[i], measure.StringWidth(row[i].text))
		}
		total += widths[i] + gap
	}
	for limit > 0 && total > limit {
		if i := tb.widest(widths); i >= 0 {
			widths[i]--
			total--
			continue
		}
		least := -1
		for i, c := range tb.columns {
			if widths[i] >= 0 && (least < 0 || c.keep < tb.columns[least].keep) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		total -= widths[least] + gap
		widths[least] = -1
	}
	return widths
}

// widest returns the column that gives way next, -1 if none can.
func (tb *topTable) widest(widths []int) int {
	widest := -1
	for i, c := range tb.columns {
		if c.elastic && widths[i] > narrowest && (widest < 0 || widths[i] >= widths[widest]) {
			widest = i
		}
	}
	return widest
}

// short writes a number in at most five characters.
func short(n uint64) string {
	f := float64(n)
	for _, unit := range []string{"", "k", "M", "G", "T"} {
		switch {
		case unit == "" && n < 10_000:
			return fmt.Sprint(n)
		case unit != "" && f < 99.95:
			return fmt.Sprintf("%.1f%s", f, unit)
		case unit != "" && f < 999.5:
			return fmt.Sprintf("%.0f%s", f, unit)
		}
		f /= 1000
	}
	return fmt.Sprintf("%.0fP", f)
}

// perSecond writes a rate; a negative one is not known yet.
func perSecond(rate float64) string {
	switch {
	case rate < 0:
		return "-"
	case rate < 99.95:
		return fmt.Sprintf("%.1f", rate)
	}
	return short(uint64(rate + 0.5))
}

// signed writes a time that may have passed.
func signed(d time.Duration) string {
	if d < 0 {
		return "-" + length(-d)
	}
	return length(d)
}
