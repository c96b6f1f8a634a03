package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// What a page shows of each list; --json has all.
const (
	shownStuck   = 8
	shownLost    = 8
	shownStates  = 5 // locks
	shownWaiters = 6
	shownStacks  = 3
	shownFrames  = 6
	shownInside  = 3 // frames of libraries
	shownThreads = 6
)

// incidentPage tells one incident to a person who has ten seconds: the verdict,
// who was stuck, what was done, who else was hurt, and then the evidence.
type incidentPage struct {
	incident watchdog.Incident
	dump     string // path; "" if there is none
	now      time.Time
	zone     *time.Location
	terminal *terminal
	out      strings.Builder
}

func (p *incidentPage) print() error {
	i := p.incident
	severity := severityCell(i)
	p.line("%s  %s", p.paint(severity.style, strings.ToUpper(severity.text)), p.paint(bold, i.Verdict))
	about := []string{i.ID, fmt.Sprintf("%s (%s)", i.Time.In(p.zone).Format(time.DateTime), ago(p.now, i.Time)), workerName(i)}
	if i.PID != 0 {
		about = append(about, fmt.Sprintf("pid %d", i.PID))
	}
	about = append(about, fmt.Sprintf("incarnation %d", i.Incarnation), words(i.Reason))
	p.line("%s", p.paint(dim, strings.Join(about, "  ")))

	p.requests("STUCK", i.Stuck, shownStuck)
	p.timeline()
	if len(i.Lost) > 0 {
		p.requests("LOST BESIDE THEM", i.Lost, shownLost)
	} else {
		p.line("\n%s  nobody", p.paint(dim, "LOST BESIDE THEM"))
	}
	p.evidence()
	_, err := p.terminal.out.Write([]byte(p.out.String()))
	return err
}

// line writes a line; its arguments are painted, and so printable, already.
func (p *incidentPage) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *incidentPage) paint(s style, text string) string {
	return p.terminal.paint(s, printable(text))
}

func (p *incidentPage) title(text string) { p.line("\n%s", p.paint(dim, text)) }

// more says that a list was cut.
func (p *incidentPage) more(all, shown int) {
	if all > shown {
		p.line("  %s", p.paint(dim, fmt.Sprintf("… and %d more; --json has all", all-shown)))
	}
}

func (p *incidentPage) requests(title string, list []watchdog.Stuck, shown int) {
	if len(list) == 0 {
		return
	}
	p.line("")
	tb := table{header: []string{title, "ROUTE", "AGE", "CLIENT", "THE CLIENT GOT"}}
	for _, s := range list[:min(len(list), shown)] {
		request := s.Request
		if request == "" {
			request = fmt.Sprintf("slot %d", s.Slot)
		}
		tb.add(cell{request, bold}, cell{s.Route, cyan}, cell{length(milliseconds(s.AgeMS)), plain}, cell{s.Client, plain}, cell{s.Outcome, plain})
	}
	t := *p.terminal
	t.out = &p.out
	_ = tb.print(&t) // a Builder takes everything
	p.more(len(list), shown)
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

func (p *incidentPage) timeline() {
	if len(p.incident.Timeline) == 0 {
		return
	}
	p.title("WHAT WAS DONE")
	for _, m := range p.incident.Timeline {
		p.line("  %s  %s", p.paint(dim, fmt.Sprintf("%+9.3f s", milliseconds(m.AfterMS).Seconds())), p.paint(plain, m.What))
	}
}

func (p *incidentPage) evidence() {
	e := p.incident.Evidence
	p.title("EVIDENCE")
	p.locks(e.Locks)
	p.stacks(e.Stacks)
	if e.Process != (watchdog.Process{}) {
		p.line("  %s: %s of memory, %s (%d runnable), %s, backlog %d", p.paint(bold, "process"), size(e.Process.RSSBytes),
			count(e.Process.Goroutines, "goroutine"), e.Process.Runnable, count(e.Process.Descriptors, "descriptor"), e.Process.Backlog)
	}
	p.threads(e.Threads)
	switch {
	case p.dump != "":
		p.line("  %s: %s\n  %s", p.paint(bold, "dump"), p.paint(plain, p.dump), p.paint(cyan, "seadog dump "+quoted(p.dump)))
	case e.Dump != "":
		p.line("  %s: %s is not there any more", p.paint(bold, "dump"), p.paint(plain, e.Dump))
	case len(e.Locks)+len(e.Stacks)+len(e.Threads) == 0:
		p.line("  none was taken")
	}
}

// quoted makes a path one word of a shell.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func size(bytes int64) string {
	if bytes < 10<<20 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

func (p *incidentPage) locks(locks []watchdog.LockState) {
	proven := slices.Clone(locks)
	slices.SortStableFunc(proven, func(a, b watchdog.LockState) int {
		switch {
		case a.Proven == b.Proven:
			return 0
		case a.Proven:
			return -1
		}
		return 1
	})
	for _, l := range proven[:min(len(proven), shownStates)] {
		text := ""
		if guess, ok := strings.CutPrefix(l.Holder, "perhaps "); ok {
			text = " is perhaps held by " + guess
		} else if l.Holder != "" {
			text = " is held by " + l.Holder
		}
		if l.Proven {
			text += " (part of a proven deadlock)"
		}
		p.line("  %s%s", p.paint(yellow, "lock "+l.Name), p.paint(plain, text))
		for _, w := range l.Waiters[:min(len(l.Waiters), shownWaiters)] {
			p.line("      waits  %s", p.paint(plain, w))
		}
		if more := len(l.Waiters) - shownWaiters; more > 0 {
			p.line("      %s", p.paint(dim, fmt.Sprintf("… and %d more wait", more)))
		}
	}
	p.more(len(locks), shownStates)
}

// stacks shows those of requests first.
func (p *incidentPage) stacks(stacks []watchdog.Stack) {
	sorted := slices.Clone(stacks)
	slices.SortStableFunc(sorted, func(a, b watchdog.Stack) int {
		switch {
		case (a.Request == "") == (b.Request == ""):
			return 0
		case a.Request != "":
			return -1
		}
		return 1
	})
	for _, s := range sorted[:min(len(sorted), shownStacks)] {
		name := fmt.Sprintf("goroutine %d", s.Goroutine)
		if s.Request != "" {
			name = strings.TrimSpace("request " + s.Request + " " + s.Route)
		}
		p.line("  %s %s", p.paint(bold, name), p.paint(plain, "["+s.State+"]"))
		own, inside := ownFrames(s.Frames)
		for _, f := range own[:min(len(own), shownFrames)] {
			p.line("      at  %s", p.paint(plain, f))
		}
		if len(inside) > 0 {
			p.line("      %s", p.paint(dim, "in  "+strings.Join(inside[:min(len(inside), shownInside)], " < ")))
		}
	}
	p.more(len(stacks), shownStacks)
}

// ownFrames parts a stack, innermost first, into the frames of the application
// and those of libraries that it called last.
func ownFrames(frames []string) (own, inside []string) {
	first := slices.IndexFunc(frames, func(f string) bool { return !ofLibrary(f) })
	if first < 0 {
		return nil, frames
	}
	for _, f := range frames[first:] {
		if !ofLibrary(f) {
			own = append(own, f)
		}
	}
	return own, frames[:first]
}

// ofLibrary reports whether a frame, as in "sync.(*Mutex).Lock (mutex.go:45)",
// is the runtime's, the standard library's or the HTTP server's. Only the last
// element of the package's path is known.
func ofLibrary(frame string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(frame, "created by "), "(")
	pkg, _, found := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ".")
	if !found {
		return true
	}
	if version, ok := strings.CutPrefix(pkg, "v"); ok && version != "" && strings.Trim(version, "0123456789") == "" {
		return true // a module's major version: nobody calls a package so
	}
	switch pkg {
	case "runtime", "sync", "atomic", "syscall", "poll", "net", "http", "tls", "io", "bufio", "os", "exec", "time", "context",
		"reflect", "sql", "unix", "fasthttp", "fiber", "cgo", "fastguard", "guard", "panic":
		return true
	}
	return false
}

func (p *incidentPage) threads(threads []watchdog.Thread) {
	for _, t := range threads[:min(len(threads), shownThreads)] {
		text := t.State
		if t.Wait != "" && t.Wait != "0" {
			text += " in " + t.Wait
		}
		if t.Syscall == "running" {
			text += ", on a processor"
		} else if t.Syscall != "" {
			text += ", system call " + t.Syscall
		}
		p.line("  %s: %s, used %s of CPU", p.paint(bold, fmt.Sprintf("thread %d", t.TID)), p.paint(plain, text), length(milliseconds(t.CPUMS)))
	}
	p.more(len(threads), shownThreads)
}
