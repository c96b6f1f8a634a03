package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// topOrder is what the requests under way are sorted by.
type topOrder int

const (
	byAge topOrder = iota
	byDeadline
	byRoute
	byWorker
	topOrders
)

func (o topOrder) String() string {
	return [topOrders]string{"age", "deadline", "route", "worker"}[o]
}

// topFocus is the list that the arrow keys scroll.
type topFocus int

const (
	onWorkers topFocus = iota
	onBusy
	topFoci
)

func (f topFocus) String() string { return [topFoci]string{"workers", "requests"}[f] }

// topOptions is how the board is shown.
type topOptions struct {
	Interval time.Duration
	Order    topOrder
	Filter   string // part of the name of a pool or route
	Editing  bool   // the filter is being typed
	Focus    topFocus
	Scroll   [topFoci]int // rows that are above the screen
	Paused   bool
	Help     bool
	Colour   bool
	Trouble  string // why there is nothing newer
}

// topFrame is all that one picture depends on.
type topFrame struct {
	Before        topSample // without a board if there is none
	Now           topSample
	Width, Height int // of the screen; 0 is without an edge
	Options       topOptions
}

// render returns the lines of the picture, none wider or more than the screen has.
func (f topFrame) render() string {
	t := &terminal{colour: f.Options.Colour}
	lines := f.header(t)
	footer := f.footer(t)
	room := f.Height - len(lines) - len(footer)
	switch {
	case f.Options.Help:
		lines = append(append(lines, ""), f.help()...)
	case f.Height == 0:
		lines = append(append(lines, ""), f.workers(t)...)
		lines = append(append(lines, ""), f.busy(t)...)
		lines = append(append(lines, ""), f.totals(t)...)
	default:
		lines = append(lines, f.body(t, room)...)
	}
	if f.Height > 0 {
		for len(lines) < f.Height-len(footer) {
			lines = append(lines, "")
		}
		lines = append(lines[:max(0, f.Height-len(footer))], footer...)
	}
	return strings.Join(lines, "\n")
}

// body shows the lists and the totals, each in its share of the screen.
func (f topFrame) body(t *terminal, room int) []string {
	totals := append([]string{""}, f.totals(t)...)
	totals = totals[:min(len(totals), max(0, room/3))]
	visible := f.visible()
	lines := f.scrolled(t, f.workers(t), onWorkers, visible[onWorkers])
	lines = append(lines, f.scrolled(t, f.busy(t), onBusy, visible[onBusy])...)
	for len(lines) < room-len(totals) {
		lines = append(lines, "")
	}
	return append(lines[:max(0, room-len(totals))], totals...)
}

// rows returns how long the lists are.
func (f topFrame) rows() [topFoci]int {
	var n [topFoci]int
	for _, p := range f.Now.Board.Pools {
		for _, w := range p.Workers {
			if f.showsWorker(p.Name, w) {
				n[onWorkers]++
			}
		}
	}
	n[onBusy] = len(f.views())
	return n
}

// visible returns how many rows of each list the screen shows. Totals get at
// most a third; workers and requests share the rest, and what one of them does
// not need the other gets.
func (f topFrame) visible() [topFoci]int {
	t := &terminal{}
	room := f.Height - len(f.header(t)) - len(f.footer(t))
	room -= min(len(f.Now.Board.Pools)+2, max(0, room/3))
	room = max(0, room-4) // two titles and two headers
	rows := f.rows()
	workers := min(rows[onWorkers], max(room/2, room-rows[onBusy]))
	return [topFoci]int{onWorkers: workers, onBusy: room - workers}
}

// scrolled returns a title, the list's header and that many of its rows.
func (f topFrame) scrolled(t *terminal, list []string, focus topFocus, visible int) []string {
	head, rows := list[0], list[1:]
	from := max(0, min(f.Options.Scroll[focus], len(rows)-visible))
	shown := rows[from:min(len(rows), from+visible)]
	title := ""
	if len(shown) < len(rows) {
		title = f.cut(fmt.Sprintf("%s %d-%d of %d", focus, from+1, from+len(shown), len(rows)))
	}
	if focus == f.Options.Focus {
		title = t.paint(yellow, title)
	}
	return append([]string{title, head}, shown...)
}

// columns is how much room a line takes, which may have colours.
func columns(line string) int { return (&runewidth.Condition{}).StringWidth(printable(line)) }

// header is the service in a line, and its pools in another.
func (f topFrame) header(t *terminal) []string {
	var kills uint64
	var pools []string
	backlog, limit, rate := 0, 0, -1.0
	for _, p := range f.Now.Board.Pools {
		kills += killsOf(p)
		backlog, limit = backlog+p.Backlog, limit+p.Limit
		own := f.poolRate(p)
		rate = max(rate, max(rate, 0)+own)
		pools = append(pools, f.poolLine(p, own))
	}
	killed := cell{"kills " + short(kills), plain}
	if kills > 0 {
		killed.style = red
	}
	waiting := cell{fmt.Sprintf("backlog %d/%d", backlog, limit), plain}
	if limit > 0 && backlog*2 > limit {
		waiting.style = red
	}
	parts := []string{
		t.paint(bold, "seadog"), fmt.Sprintf("pid %d", f.Now.PID), "up " + length(f.Now.Uptime),
		perSecond(rate) + " req/s", t.paint(killed.style, killed.text), t.paint(waiting.style, waiting.text),
	}
	if f.Options.Paused {
		parts = append(parts, t.paint(yellow, "PAUSED"))
	}
	lines := []string{f.joined(parts)}
	if f.Options.Trouble != "" {
		lines = append(lines, t.paint(red, f.cut(printable(f.Options.Trouble))))
	}
	return append(lines, t.paint(dim, f.joined(pools)))
}

func (f topFrame) poolLine(p scoreboard.PoolState, rate float64) string {
	accepting := 0
	for _, w := range p.Workers {
		if accepts(f.Now.Layout, w) {
			accepting++
		}
	}
	return fmt.Sprintf("%s %d/%d %s/s", printable(p.Name), accepting, p.Places, perSecond(rate))
}

// joined puts two spaces between parts, and leaves out those for which there is no room.
func (f topFrame) joined(parts []string) string {
	line := ""
	for i, p := range parts {
		next := p
		if i > 0 {
			next = line + "  " + p
		}
		if f.Width > 0 && columns(next) > f.Width {
			break
		}
		line = next
	}
	return line
}

// cut shortens plain text to the width of the screen.
func (f topFrame) cut(text string) string {
	if f.Width == 0 {
		return text
	}
	return (&runewidth.Condition{}).Truncate(text, f.Width, "…")
}

func (f topFrame) footer(t *terminal) []string {
	o := f.Options
	if f.Height == 0 {
		return nil
	}
	if o.Editing {
		return []string{f.cut("filter by pool, route, request or client: " + printable(o.Filter) + "_")}
	}
	parts := []string{"q quit", "? help", "p pause", "s sort: " + o.Order.String(), "/ filter"}
	if o.Filter != "" {
		parts[len(parts)-1] += ": " + printable(o.Filter)
	}
	parts = append(parts, "tab "+o.Focus.String(), "+/- "+o.Interval.String())
	return []string{t.paint(dim, f.joined(parts))}
}

func (f topFrame) help() []string {
	lines := []string{
		"  q, ctrl-c     quit",
		"  p, space      pause, go on",
		"  s             sort requests by age, deadline, route, worker",
		"  /             filter by part of a pool, route, request id or client;",
		"                enter keeps it, escape clears it",
		"  tab           scroll workers, or requests",
		"  up, down      scroll by a row; page up, page down, home, end",
		"  + -           look more often, less often",
		"",
		"  BEAT   age of the last heartbeat       ABAND  given up, but still running",
		"  RUN    goroutines waiting for a CPU    LEFT   until the client gets 504",
		"  SOFT   given up by the worker          RECOV  of these, ended later",
		"  504    written by the master           LOST   under way in killed workers",
		"  MOVED  connections to another worker   GATED  a worker stopped accepting",
		"  SHED   connections refused with 503    HUNG UP  clients that went away",
	}
	for i := range lines {
		lines[i] = f.cut(lines[i])
	}
	return lines
}
