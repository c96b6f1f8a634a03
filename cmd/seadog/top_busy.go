package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// topView is a request under way and who is busy with it.
type topView struct {
	scoreboard.View
	worker string
	route  string
}

func (f topFrame) busy(t *terminal) []string {
	tb := topTable{columns: []topColumn{
		{title: "AGE", number: true, keep: 9},
		{title: "LEFT", number: true, keep: 8},
		{title: "PHASE", keep: 6},
		{title: "ROUTE", elastic: true, keep: 9},
		{title: "REQUEST", elastic: true, keep: 7},
		{title: "CLIENT", elastic: true, keep: 3},
		{title: "WORKER", keep: 5},
	}}
	for _, v := range f.views() {
		tb.add(f.busyRow(v)...)
	}
	return tb.lines(t, f.Width)
}

func (f topFrame) busyRow(v topView) []cell {
	now := f.Now.Board.Now
	phase := cell{v.Token.Phase().String(), phaseStyle(v.Token.Phase())}
	if v.Torn {
		return []cell{{}, {}, phase, {}, {}, {}, {v.worker, plain}}
	}
	left := cell{"-", dim}
	if d := time.Duration(v.Request.Soft - now); v.Request.Soft != 0 {
		left = cell{signed(d), plain}
		if d < 0 {
			left.style = red
		}
	} else if v.Request.Stream {
		left.text = "stream"
	}
	route := v.route
	if v.Request.Stream && v.Touched > 0 {
		route += " (quiet for " + length(time.Duration(max(0, now-v.Touched))) + ")"
	}
	return []cell{{length(v.Age(now)), bold}, left, phase, {route, cyan}, {v.Request.ID, plain}, {v.Request.Client, plain}, {v.worker, plain}}
}

func phaseStyle(p scoreboard.Phase) style {
	switch p {
	case scoreboard.Killed, scoreboard.Seized:
		return red
	case scoreboard.Running:
		return green
	}
	return plain
}

// views returns what the filter lets pass, in order.
func (f topFrame) views() []topView {
	var views []topView
	for _, p := range f.Now.Board.Pools {
		for _, w := range p.Workers {
			for _, v := range w.Busy {
				if f.showsView(p.Name, v) {
					views = append(views, topView{v, placeName(w.ID), f.route(v)})
				}
			}
		}
	}
	age := func(v topView) int64 { // the unknown last
		if v.Torn {
			return math.MaxInt64
		}
		return v.Request.Begun
	}
	soft := func(v topView) int64 {
		if v.Torn || v.Request.Soft == 0 {
			return math.MaxInt64
		}
		return v.Request.Soft
	}
	slices.SortStableFunc(views, func(a, b topView) int {
		first := 0
		switch f.Options.Order {
		case byDeadline:
			first = cmp.Compare(soft(a), soft(b))
		case byRoute:
			first = cmp.Compare(a.route, b.route)
		case byWorker:
			first = cmp.Compare(a.worker, b.worker)
		}
		return cmp.Or(first, cmp.Compare(age(a), age(b)), cmp.Compare(a.worker, b.worker), cmp.Compare(a.Index, b.Index))
	})
	return views
}

// totals is what the watchdog has done since the service was started.
func (f topFrame) totals(t *terminal) []string {
	tb := topTable{columns: []topColumn{
		{title: "POOL", keep: 9},
		{title: "SOFT", number: true, keep: 8},
		{title: "RECOV", number: true, keep: 5},
		{title: "KILLS", number: true, keep: 8},
		{title: "LOST", number: true, keep: 8},
		{title: "504", number: true, keep: 4},
		{title: "MOVED", number: true, keep: 3},
		{title: "GATED", number: true, keep: 3},
		{title: "SHED", number: true, keep: 4},
		{title: "HUNG UP", number: true, keep: 1},
		{title: "ENDS", elastic: true, keep: 7},
	}}
	number := func(n uint64, alarming style) cell {
		if n == 0 {
			return cell{"0", dim}
		}
		return cell{short(n), alarming}
	}
	for _, p := range f.Now.Board.Pools {
		tb.add(cell{p.Name, bold},
			number(p.Soft[scoreboard.SoftKills], yellow), number(p.Soft[scoreboard.Recovered], plain), number(killsOf(p), red),
			number(p.Lost, red), number(p.Answered, yellow), number(p.Moved, plain), number(p.Soft[scoreboard.Gates], yellow),
			number(p.Soft[scoreboard.Shed], yellow), number(p.Soft[scoreboard.HangUps], plain), cell{endsOf(p), plain})
	}
	return tb.lines(t, f.Width)
}

// endsOf says why workers ended: killings first, then the most frequent reason.
func endsOf(p scoreboard.PoolState) string {
	type end struct {
		reason watchdog.Reason
		n      uint64
	}
	var ends []end
	for reason, n := range p.Ends {
		if n > 0 {
			ends = append(ends, end{watchdog.Reason(reason), n})
		}
	}
	slices.SortStableFunc(ends, func(a, b end) int {
		switch {
		case a.reason.Kills() == b.reason.Kills():
			return cmp.Compare(b.n, a.n)
		case a.reason.Kills():
			return -1
		}
		return 1
	})
	texts := make([]string, len(ends))
	for i, e := range ends {
		texts[i] = fmt.Sprintf("%s %s", words(e.reason.String()), short(e.n))
	}
	return strings.Join(texts, ", ")
}
