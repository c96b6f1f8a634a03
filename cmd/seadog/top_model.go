package main

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

const (
	topPage   = 10 // rows
	maxFilter = 64
)

// topModel is the live view: what was seen last, how it is shown, and which
// key does what.
type topModel struct {
	read          func() (topSample, error)
	before, now   topSample
	width, height int
	options       topOptions
	ticks         int  // of the tick that is awaited: earlier ones are out of date
	looking       bool // a look is under way; the next tick is set when it ends
}

// Messages to the model, besides keys.
type (
	topTick int
	topSeen struct {
		sample topSample
		err    error
	}
)

func newTopModel(read func() (topSample, error), first topSample, o topOptions) topModel {
	return topModel{read: read, now: first, width: 80, height: 24, options: o}
}

// Init implements [tea.Model].
func (m topModel) Init() tea.Cmd { return m.wait() }

func (m topModel) wait() tea.Cmd {
	tick := topTick(m.ticks)
	return tea.Tick(m.options.Interval, func(time.Time) tea.Msg { return tick })
}

// look reads the board.
func (m topModel) look() tea.Cmd {
	read := m.read
	return func() tea.Msg {
		s, err := read()
		return topSeen{s, err}
	}
}

// Update implements [tea.Model].
func (m topModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case topTick:
		switch {
		case int(msg) != m.ticks:
			return m, nil
		case m.options.Paused:
			return m, m.wait()
		}
		m.looking = true
		return m, m.look()
	case topSeen:
		m.ticks++
		m.looking = false
		m.options.Trouble = ""
		if msg.err != nil {
			m.options.Trouble = msg.err.Error()
		} else if !m.options.Paused {
			m.before, m.now = m.now, msg.sample
		}
		return m, m.wait()
	case tea.KeyMsg:
		if m.options.Editing && msg.Type != tea.KeyCtrlC {
			m.edit(msg)
			return m, nil
		}
		return m.keys(msg)
	}
	return m, nil
}

// keys takes one key, or several: what is typed while the terminal is slow
// comes at once. What is pasted means nothing here.
func (m topModel) keys(msg tea.KeyMsg) (tea.Model, tea.Cmd) {
	if msg.Paste || msg.Type != tea.KeyRunes || len(msg.Runes) < 2 {
		return m.key(msg.String())
	}
	var next tea.Model = m
	var commands []tea.Cmd
	for _, r := range msg.Runes {
		var cmd tea.Cmd
		next, cmd = next.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		commands = append(commands, cmd)
	}
	return next, tea.Batch(commands...)
}

// edit types the filter.
func (m *topModel) edit(msg tea.KeyMsg) {
	o := &m.options
	typed := []rune(o.Filter)
	switch msg.Type {
	case tea.KeyEnter:
		o.Editing = false
	case tea.KeyEsc:
		o.Editing, o.Filter = false, ""
	case tea.KeyBackspace:
		o.Filter = string(typed[:max(0, len(typed)-1)])
	case tea.KeyRunes, tea.KeySpace:
		if typed = append(typed, msg.Runes...); len(typed) <= maxFilter {
			o.Filter = string(typed)
		}
	}
	o.Scroll = [topFoci]int{}
}

func (m topModel) key(key string) (tea.Model, tea.Cmd) {
	o := &m.options
	switch key {
	case "q", "ctrl+c":
		return m, tea.Quit
	case "p", " ":
		o.Paused = !o.Paused
	case "s":
		o.Order = (o.Order + 1) % topOrders
	case "/":
		o.Editing = true
	case "esc":
		o.Help, o.Filter = false, ""
	case "?", "h":
		o.Help = !o.Help
	case "tab":
		o.Focus = (o.Focus + 1) % topFoci
	case "+", "=":
		o.Interval = max(topIntervalMin, o.Interval/2)
		return m.retime()
	case "-":
		o.Interval = min(topIntervalMax, o.Interval*2)
		return m.retime()
	default:
		m.scroll(key)
	}
	return m, nil
}

// retime starts the wait again, if there is one.
func (m topModel) retime() (tea.Model, tea.Cmd) {
	if m.looking {
		return m, nil
	}
	m.ticks++
	return m, m.wait()
}

func (m *topModel) scroll(key string) {
	f, focus := m.frame(), m.options.Focus
	last := max(0, f.rows()[focus]-f.visible()[focus])
	at := min(m.options.Scroll[focus], last) // the list may have become shorter
	switch key {
	case "up", "k":
		at--
	case "down", "j":
		at++
	case "pgup":
		at -= topPage
	case "pgdown":
		at += topPage
	case "home", "g":
		at = 0
	case "end", "G":
		at = last
	}
	m.options.Scroll[focus] = max(0, min(at, last))
}

func (m topModel) frame() topFrame {
	return topFrame{Before: m.before, Now: m.now, Width: m.width, Height: m.height, Options: m.options}
}

// View implements [tea.Model].
func (m topModel) View() string { return m.frame().render() }
