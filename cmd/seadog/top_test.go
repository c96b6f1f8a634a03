package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

var update = flag.Bool("update", false, "write the golden files of what is in testdata")

const topNow = int64(10_000 * time.Second)

func ns(d time.Duration) int64 { return topNow - int64(d) }

func token(generation int, p scoreboard.Phase) scoreboard.Token {
	return scoreboard.Token(generation << 8).To(p)
}

func topLayout() scoreboard.Layout {
	return scoreboard.Layout{
		Pools:    []scoreboard.PoolLayout{{Name: "http", Regions: 8, Slots: 16}, {Name: "runner", Regions: 4, Slots: 1}, {Name: "admin", Regions: 2}},
		Counters: []string{"request|hook|2xx"}, Routes: []string{"POST /hooks/:name", "GET /api/v1/deployments/:id/logs", "build"},
	}
}

// sickBoard is a service in trouble: a worker with a request that does not
// end, its replacement, a spare, and a runner that builds.
func sickBoard() topSample {
	http := scoreboard.PoolState{
		Name: "http", Places: 2, Backlog: 3, Limit: 4096, Lost: 1, Answered: 2, Moved: 14, Counters: []uint64{123456},
		Histograms: make([]scoreboard.Histogram, 3),
		Workers: []scoreboard.Worker{
			{
				ID: watchdog.ID{Pool: "http", Index: -1}, Region: 2, Incarnation: 4, PID: 4714, State: watchdog.Spare,
				Started: ns(2 * time.Second), Heartbeat: ns(40 * time.Millisecond), Vitals: scoreboard.Vitals{Goroutines: 17, Procs: 4},
			},
			{
				ID: watchdog.ID{Pool: "http", Index: 1}, Region: 1, Incarnation: 2, PID: 4712, State: watchdog.Quarantined, Accepting: false,
				Started: ns(3 * time.Hour), Heartbeat: ns(1200 * time.Millisecond), Served: 61_230, Connections: 40,
				Vitals: scoreboard.Vitals{Goroutines: 1311, Runnable: 44, Latency: 3 * time.Millisecond, Procs: 4},
				Busy: []scoreboard.View{
					{Index: 0, Token: token(9, scoreboard.Killed), Killed: ns(4 * time.Second), FD: 12, Request: scoreboard.Request{ID: "01HZX3K7Q2M9", Client: "203.0.113.9:50122", Route: 0, Begun: ns(34 * time.Second), Soft: ns(4 * time.Second), Hard: topNow + int64(time.Second)}},
					{Index: 1, Token: token(3, scoreboard.Running), Touched: ns(time.Second), Request: scoreboard.Request{ID: "evil\x1b[31m\nid", Client: "[2001:db8::1]:443", Route: 7, Begun: ns(1500 * time.Millisecond), Soft: topNow + int64(28500*time.Millisecond)}},
					{Index: 2, Token: token(5, scoreboard.Running), Torn: true},
				},
			},
			{
				ID: watchdog.ID{Pool: "http", Index: 0}, Region: 0, Incarnation: 1, PID: 4711, State: watchdog.Ready, Accepting: true,
				Started: ns(3 * time.Hour), Heartbeat: ns(30 * time.Millisecond), Served: 62_226, Connections: 12,
				Vitals: scoreboard.Vitals{Goroutines: 31, Runnable: 1, Procs: 4},
				Busy: []scoreboard.View{
					{Index: 5, Token: token(2, scoreboard.Answering), Touched: ns(7 * time.Second), Request: scoreboard.Request{ID: "01HZX3K7Q2AA", Client: "203.0.113.10:1", Route: 1, Stream: true, Begun: ns(8 * time.Minute)}},
				},
			},
		},
	}
	http.Histograms[0].Counts[3] = 123_456
	http.Histograms[0].Sum = 617 * time.Second
	http.Soft[scoreboard.SoftKills], http.Soft[scoreboard.Recovered], http.Soft[scoreboard.Gates] = 5, 4, 1
	http.Ends[watchdog.Wedged], http.Ends[watchdog.Reload], http.Ends[watchdog.MemoryHard] = 1, 4, 1
	runner := scoreboard.PoolState{
		Name: "runner", Places: 1, Counters: []uint64{0}, Histograms: make([]scoreboard.Histogram, 3),
		Workers: []scoreboard.Worker{{
			ID: watchdog.ID{Pool: "runner", Index: 0}, Incarnation: 1, PID: 4720, State: watchdog.Ready, Accepting: true,
			Started: ns(3 * time.Hour), Heartbeat: ns(90 * time.Millisecond), Served: 12, Vitals: scoreboard.Vitals{Goroutines: 22, Procs: 4},
			Busy: []scoreboard.View{{Index: 0, Token: token(12, scoreboard.Running), Group: 5001, Request: scoreboard.Request{ID: "deployment 812", Route: 2, Begun: ns(95 * time.Second), Soft: topNow + int64(505*time.Second)}}},
		}},
	}
	admin := scoreboard.PoolState{Name: "admin", Places: 1, Workers: []scoreboard.Worker{{
		ID: watchdog.ID{Pool: "admin"}, Incarnation: 1, PID: 4730, State: watchdog.Ready, Started: ns(3 * time.Hour), Heartbeat: ns(time.Millisecond),
	}}}
	return topSample{PID: 4700, Uptime: 3*time.Hour + 20*time.Second, Layout: topLayout(), Board: scoreboard.Snapshot{Now: topNow, Pools: []scoreboard.PoolState{http, runner, admin}}}
}

// earlier is the board two seconds before.
func earlier() topSample {
	s := sickBoard()
	s.Board.Now -= int64(2 * time.Second)
	http := &s.Board.Pools[0]
	http.Histograms[0].Counts[3] -= 825
	http.Workers[1].Served -= 1
	http.Workers[2].Served -= 824
	return s
}

// manyBoard has more workers and requests than a screen has lines.
func manyBoard() topSample {
	s := sickBoard()
	for _, p := range []int{0, 1} {
		pool := &s.Board.Pools[p]
		for i := 2; i < 14; i++ {
			w := pool.Workers[0]
			w.ID = watchdog.ID{Pool: pool.Name, Index: i}
			for n := range 5 {
				w.Busy = append(w.Busy, scoreboard.View{Index: n, Token: token(1, scoreboard.Running), Request: scoreboard.Request{
					ID: fmt.Sprintf("request-%02d-%d", i, n), Route: n % 3, Begun: ns(time.Duration(i*5+n) * time.Second),
				}})
			}
			pool.Workers = append(pool.Workers, w)
		}
	}
	return s
}

func TestTheViewOfABoard(t *testing.T) {
	t.Parallel()
	second := topOptions{Interval: time.Second}
	with := func(change func(*topOptions)) topOptions {
		o := second
		change(&o)
		return o
	}
	for name, f := range map[string]topFrame{
		"plain":   {Before: earlier(), Now: sickBoard(), Options: second},
		"80x24":   {Before: earlier(), Now: sickBoard(), Width: 80, Height: 24, Options: second},
		"140x30":  {Before: earlier(), Now: sickBoard(), Width: 140, Height: 30, Options: with(func(o *topOptions) { o.Paused = true; o.Order = byDeadline })},
		"40x12":   {Before: earlier(), Now: sickBoard(), Width: 40, Height: 12, Options: second},
		"first":   {Now: sickBoard(), Width: 80, Height: 24, Options: second},
		"colours": {Before: earlier(), Now: sickBoard(), Width: 80, Height: 24, Options: with(func(o *topOptions) { o.Colour = true })},
		"help":    {Before: earlier(), Now: sickBoard(), Width: 80, Height: 24, Options: with(func(o *topOptions) { o.Help = true })},
		"filter":  {Before: earlier(), Now: sickBoard(), Width: 80, Height: 24, Options: with(func(o *topOptions) { o.Filter = "HOOKS"; o.Editing = true })},
		"trouble": {Before: earlier(), Now: sickBoard(), Width: 80, Height: 24, Options: with(func(o *topOptions) { o.Trouble = "the master has ended" })},
		"many":    {Now: manyBoard(), Width: 80, Height: 24, Options: with(func(o *topOptions) { o.Scroll = [topFoci]int{3, 1000} })},
		"none":    {Now: topSample{PID: 1, Layout: topLayout(), Board: scoreboard.Snapshot{Now: topNow}}, Width: 80, Height: 24, Options: second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "top", name+".txt"), f.render()+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew): %s", path, diff)
	}
}

// No picture is larger than its screen, whatever its size.
func TestTheViewFitsEveryScreen(t *testing.T) {
	t.Parallel()
	for name, now := range map[string]topSample{"sick": sickBoard(), "many": manyBoard()} {
		for height := 1; height < 50; height += 4 {
			for width := 1; width < 200; width += 7 {
				f := topFrame{Before: earlier(), Now: now, Width: width, Height: height, Options: topOptions{Interval: time.Second, Colour: true, Filter: "o", Help: width%2 == 0}}
				lines := strings.Split(f.render(), "\n")
				if len(lines) != height {
					t.Fatalf("%s, %dx%d: %d lines", name, width, height, len(lines))
				}
				for _, l := range lines {
					if columns(l) > width {
						t.Fatalf("%s, %dx%d: %q is %d wide", name, width, height, l, columns(l))
					}
				}
			}
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{
		0: "0", 9999: "9999", 10_000: "10.0k", 99_940: "99.9k", 99_950: "100k", 999_499: "999k", 999_500: "1.0M",
		1_234_567: "1.2M", 123_456_789: "123M", 5_000_000_000: "5.0G", 1 << 63: "9223P",
	} {
		if got := short(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	for rate, want := range map[float64]string{-1: "-", 0: "0.0", 0.04: "0.0", 12.34: "12.3", 99.96: "100", 412.4: "412", 12_345: "12.3k"} {
		if got := perSecond(rate); got != want {
			t.Errorf("%g: got %q, want %q", rate, got, want)
		}
	}
}

// press sends keys to a model, as bubbletea does.
func press(t *testing.T, m tea.Model, keys ...string) topModel {
	t.Helper()
	special := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "pgdown": tea.KeyPgDown,
		"end": tea.KeyEnd, "home": tea.KeyHome, "backspace": tea.KeyBackspace, "ctrl+c": tea.KeyCtrlC,
	}
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if code, ok := special[k]; ok {
			msg = tea.KeyMsg{Type: code}
		}
		m, _ = m.Update(msg)
	}
	return m.(topModel)
}

func manyModel() topModel {
	return newTopModel(func() (topSample, error) { return manyBoard(), nil }, manyBoard(), topOptions{Interval: time.Second})
}

func TestKeysChangeTheView(t *testing.T) {
	t.Parallel()
	m := press(t, manyModel(), "s", "s", "tab", "?", "p")
	if o := m.options; o.Order != byRoute || o.Focus != onBusy || !o.Help || !o.Paused {
		t.Errorf("%+v", o)
	}
	m = press(t, m, "ss", "tab", "esc", "p")
	if o := m.options; o.Order != byAge || o.Focus != onWorkers || o.Help || o.Paused {
		t.Errorf("%+v", o)
	}
	m = press(t, m, "/qs", "x", "backspace", "enter")
	if o := m.options; o.Filter != "qs" || o.Editing || o.Order != byAge {
		t.Errorf("after typing a filter: %+v", o)
	}
	if o := press(t, m, "/", "a", "esc").options; o.Filter != "" || o.Editing {
		t.Errorf("after escape: %+v", o)
	}
	for key, want := range map[string]time.Duration{"+": topIntervalMin, "-": topIntervalMax} {
		if got := press(t, m, key, key, key, key, key, key).options.Interval; got != want {
			t.Errorf("%s: every %s", key, got)
		}
	}
	for _, key := range []tea.KeyMsg{{Type: tea.KeyRunes, Runes: []rune("q")}, {Type: tea.KeyCtrlC}} {
		if _, cmd := m.Update(key); cmd == nil || cmd() != tea.Quit() {
			t.Errorf("%s does not quit", key)
		}
	}
	if _, cmd := press(t, m, "/").Update(tea.KeyMsg{Type: tea.KeyCtrlC}); cmd == nil || cmd() != tea.Quit() {
		t.Error("ctrl-c does not quit while a filter is typed")
	}
}

func TestScrollingStopsAtTheEnds(t *testing.T) {
	t.Parallel()
	m := press(t, manyModel(), "up", "down", "down")
	if got := m.options.Scroll; got != [topFoci]int{2, 0} {
		t.Errorf("scrolled to %v", got)
	}
	m = press(t, m, "tab", "end")
	last := m.options.Scroll[onBusy]
	if got := press(t, m, "down", "pgdown").options.Scroll[onBusy]; got != last || last == 0 {
		t.Errorf("below the end: %d, then %d", last, got)
	}
	if got := press(t, m, "up").options.Scroll[onBusy]; got != last-1 {
		t.Errorf("one up from %d: %d", last, got)
	}
	if got := press(t, m, "home", "up").options.Scroll[onBusy]; got != 0 {
		t.Errorf("above the beginning: %d", got)
	}
	if view := m.View(); !strings.Contains(view, fmt.Sprintf("-%d of %d", len(m.frame().views()), len(m.frame().views()))) {
		t.Errorf("the last row is not shown:\n%s", view)
	}
}

func TestTheModelLooksOnceATick(t *testing.T) {
	t.Parallel()
	next, fail := sickBoard(), false
	m := newTopModel(func() (topSample, error) {
		next.Board.Now += int64(time.Second)
		if fail {
			return topSample{}, errors.New("nobody is there")
		}
		return next, nil
	}, sickBoard(), topOptions{Interval: time.Second})
	update := func(msg tea.Msg) tea.Cmd {
		after, cmd := m.Update(msg)
		m = after.(topModel)
		return cmd
	}
	look := update(topTick(0))
	if update(topTick(0)); m.before.Board.Now != 0 {
		t.Error("a look has been seen before it was made")
	}
	if cmd := update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("+")}); cmd != nil {
		t.Error("another interval sets a tick while a look is under way")
	}
	if cmd := update(look()); cmd == nil || m.now.Board.Now != topNow+int64(time.Second) || m.before.Board.Now != topNow {
		t.Errorf("after a look: %d, before %d", m.now.Board.Now, m.before.Board.Now)
	}
	if update(topTick(0)) != nil {
		t.Error("a tick that is out of date makes it look")
	}
	press(t, m, "p")
	m = press(t, m, "p")
	if update(topTick(m.ticks)) == nil || m.looking {
		t.Error("a pause does not wait for its end")
	}
	m, fail = press(t, m, "p"), true
	seen := m.now.Board.Now
	update(update(topTick(m.ticks))())
	if !strings.Contains(m.View(), "nobody is there") || m.now.Board.Now != seen {
		t.Errorf("trouble is not shown, or what was seen is forgotten:\n%s", m.View())
	}
	fail = false
	update(update(topTick(m.ticks))())
	if strings.Contains(m.View(), "nobody is there") {
		t.Error("trouble is shown when it is over")
	}
	update(tea.WindowSizeMsg{Width: 50, Height: 11})
	if lines := strings.Split(m.View(), "\n"); len(lines) != 11 {
		t.Errorf("%d lines on a screen of 11", len(lines))
	}
}
