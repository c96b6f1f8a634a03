package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	loadrun "github.com/seadog/seadog/loadtest/run"
)

// loadView shows how a run stands: live at a terminal, and elsewhere a line
// every few seconds. It goes to stderr, so that stdout is the report alone.
type loadView struct {
	env      *env
	terminal *terminal
	program  *tea.Program // nil: no terminal
	ended    chan struct{}

	mu    sync.Mutex
	lined time.Duration // when the last line was printed
}

// lineEvery is how often a line is printed where nobody sees a live view.
const lineEvery = 5 * time.Second

func newLoadView(e *env, s *loadtest.Scenario, quiet bool) *loadView {
	v := &loadView{env: e, terminal: terminalOf(e, e.Stderr), ended: make(chan struct{})}
	if quiet || v.terminal.width == 0 {
		close(v.ended)
		return v
	}
	v.program = tea.NewProgram(&loadModel{terminal: v.terminal, scenario: s}, tea.WithOutput(e.Stderr), tea.WithInput(nil), tea.WithoutSignalHandler())
	go func() {
		defer close(v.ended)
		_, _ = v.program.Run() // a terminal that is gone must not end the run
	}()
	return v
}

// show implements [loadrun.Options.Watch].
func (v *loadView) show(st loadrun.Standing) {
	if v.program != nil {
		v.program.Send(st)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if st.Now-v.lined < lineEvery {
		return
	}
	v.lined = st.Now
	m := st.Live.Last
	fmt.Fprintf(v.env.Stderr, "%s %s %3.0fs of %.0fs: %d planned, %d sent, %d done, %d in flight, %d failed, %d dropped; response p50 %s p99 %s\n",
		st.Scenario, st.Phase, st.Now.Seconds(), st.Length.Seconds(), st.Counts.Planned, st.Counts.Sent, st.Counts.Done, st.Counts.Inflight,
		st.Live.Failed, st.Live.Dropped, brief(m.P50), brief(m.P99))
}

// fault implements [loadrun.Options.Fault].
func (v *loadView) fault(ev fault.Event) {
	if v.program != nil {
		v.program.Send(ev)
		return
	}
	fmt.Fprintf(v.env.Stderr, "fault %s %s: %s\n", ev.Fault, ev.Change, ev.What)
}

// close ends the live view and leaves the terminal as it was.
func (v *loadView) close() {
	if v.program != nil {
		v.program.Quit()
	}
	<-v.ended
}

// loadModel is the live view.
type loadModel struct {
	terminal *terminal
	scenario *loadtest.Scenario
	standing loadrun.Standing
	rates    [3]float64 // planned, sent, done per second, lately
	faults   []fault.Event
	width    int
}

func (m *loadModel) Init() tea.Cmd { return nil }

func (m *loadModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case loadrun.Standing:
		if seconds := (msg.Now - m.standing.Now).Seconds(); seconds > 0 {
			before, now := m.standing.Counts, msg.Counts
			m.rates = [3]float64{
				float64(now.Planned-before.Planned) / seconds,
				float64(now.Sent-before.Sent) / seconds,
				float64(now.Done-before.Done) / seconds,
			}
		}
		m.standing = msg
	case fault.Event:
		m.faults = append(m.faults, msg)
		m.faults = m.faults[max(0, len(m.faults)-4):]
	case tea.WindowSizeMsg:
		m.width = msg.Width
	}
	return m, nil
}

func (m *loadModel) View() string {
	st, t := m.standing, m.terminal
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", t.paint(bold, st.Scenario), st.Phase, m.bar(st))
	fmt.Fprintf(&b, "  rate       %8.0f/s planned  %8.0f/s sent  %8.0f/s done\n", m.rates[0], m.rates[1], m.rates[2])
	l := st.Live.Last
	fmt.Fprintf(&b, "  response   p50 %-9s p99 %-9s max %-9s\n", brief(l.P50), brief(l.P99), brief(l.Max))
	fmt.Fprintf(&b, "  in flight  %-8d failed %s  dropped %s\n", st.Counts.Inflight, m.count(st.Live.Failed), m.count(st.Live.Dropped))
	if st.Live.Gap > time.Second {
		fmt.Fprintln(&b, "  "+t.paint(red, "nothing has completed for "+brief(st.Live.Gap)))
	}
	for _, e := range st.Live.Errors[:min(3, len(st.Live.Errors))] {
		fmt.Fprintf(&b, "  %8d × %s\n", e.Count, printable(e.Class))
	}
	for _, f := range m.faults {
		fmt.Fprintf(&b, "  %s %s %s\n", t.paint(yellow, "fault"), f.Change, printable(f.What))
	}
	for _, h := range st.Hangs[max(0, len(st.Hangs)-3):] {
		fmt.Fprintf(&b, "  %s\n", t.paint(red, printable(h.Rule+" "+h.Text)))
	}
	for _, th := range st.Thresholds {
		mark, shown := t.paint(green, "✓"), "–"
		switch th.Verdict {
		case loadtest.Pass:
		case loadtest.Inconclusive:
			mark = t.paint(dim, "·")
		default:
			mark = t.paint(red, "✗")
		}
		if th.Known {
			shown = th.Shown
		}
		fmt.Fprintf(&b, "  %s %-56s %s\n", mark, printable(th.Text), shown)
	}
	return b.String()
}

func (m *loadModel) count(n uint64) string {
	if n == 0 {
		return "0"
	}
	return m.terminal.paint(red, fmt.Sprint(n))
}

// bar is how far the load has come.
func (m *loadModel) bar(st loadrun.Standing) string {
	const cells = 30
	if st.Length <= 0 {
		return ""
	}
	done := int(cells * min(1, max(0, st.Now.Seconds()/st.Length.Seconds())))
	return fmt.Sprintf("%s%s %s of %s", strings.Repeat("█", done), strings.Repeat("░", cells-done), length(max(0, st.Now)), length(st.Length))
}

// brief writes a duration with three digits at most.
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 100*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond * 10).String()
	}
	return d.Round(time.Second).String()
}
