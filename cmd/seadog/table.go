package main

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// cell is one field of a table.
type cell struct {
	text  string
	style style
}

// table is rows under a header, aligned. On a terminal that is too narrow the
// widest columns give way; elsewhere nothing is cut.
type table struct {
	empty  string // what is said if there are no rows
	header []string
	rows   [][]cell
}

const (
	gap       = 2
	narrowest = 8 // no column is cut below this
)

func (tb *table) add(cells ...cell) {
	for i := range cells {
		cells[i].text = strings.ReplaceAll(printable(cells[i].text), "\t", " ")
	}
	tb.rows = append(tb.rows, cells)
}

// print writes the table to t.
func (tb *table) print(t *terminal) error {
	if len(tb.rows) == 0 {
		return t.printf("%s", tb.empty)
	}
	measure := &runewidth.Condition{} // not from the environment: output must not depend on it
	widths := tb.widths(t.width, measure)
	header := make([]cell, len(tb.header))
	for i, h := range tb.header {
		header[i] = cell{h, dim}
	}
	var b strings.Builder
	for _, row := range append([][]cell{header}, tb.rows...) {
		last := len(row) - 1
		for last > 0 && row[last].text == "" {
			last--
		}
		for i, c := range row[:last+1] {
			text := measure.Truncate(c.text, widths[i], "…")
			b.WriteString(t.paint(c.style, text))
			if i < last {
				b.WriteString(strings.Repeat(" ", widths[i]-measure.StringWidth(text)+gap))
			}
		}
		b.WriteByte('\n')
	}
	_, err := t.out.Write([]byte(b.String()))
	return err
}

// widths are as wide as the contents, or less where the terminal is narrower.
func (tb *table) widths(limit int, measure *runewidth.Condition) []int {
	widths := make([]int, len(tb.header))
	total := gap * (len(widths) - 1)
	for i, h := range tb.header {
		widths[i] = measure.StringWidth(h)
		for _, row := range tb.rows {
			widths[i] = max(widths[i], measure.StringWidth(row[i].text))
		}
		total += widths[i]
	}
	for ; limit > 0 && total > limit; total-- {
		widest := 0
		for i := range widths {
			if widths[i] >= widths[widest] {
				widest = i // of equals the last: what people name comes first
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	return widths
}
