package master

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// report is an incident on its way to disk, and the file that its process left.
type report struct {
	stderr   string // path; "" if there is none
	wanted   bool   // there is an incident; else the file only goes
	crashed  bool   // it ended by itself
	incident watchdog.Incident
}

// worker names the one that is gone.
func (r *report) worker() string {
	return watchdog.ID{Pool: r.incident.Pool, Index: r.incident.Index}.String()
}

// Bounds of what an incident repeats of its dump.
const (
	mostStacks  = 32
	mostFrames  = 64
	mostLocks   = 10
	mostWaiters = 20
)

// largeDump is the size above which memory is given back at once.
const largeDump = 1 << 20

// conclude finishes an incident with what the dump says, and has it written. It
// is called by the recorder.
func (m *master) conclude(r report) {
	if r.wanted {
		dump, err := readDump(r.stderr)
		if err != nil {
			m.Log.Warn("what a worker wrote at its end cannot be read", watchdog.KeyIncident, r.incident.ID, watchdog.KeyWorker, r.worker(), watchdog.KeyError, err)
		}
		r.explain(dump)
		m.Log.Error("incident", watchdog.KeyIncident, r.incident.ID, watchdog.KeyWorker, r.worker(), watchdog.KeyReason, r.incident.Reason, watchdog.KeyVerdict, r.incident.Verdict)
		err = m.Incident(r.incident, dump)
		if len(dump) > largeDump {
			dump = nil
			debug.FreeOSMemory()
		}
		if err != nil {
			m.Log.Error("incident was not recorded", watchdog.KeyIncident, r.incident.ID, watchdog.KeyWorker, r.worker(), watchdog.KeyError, err)
			return // its file is all that is left of it
		}
	}
	if r.stderr != "" {
		// That it is there still harms nobody.
		_ = os.Remove(r.stderr)
	}
}

// readDump returns what a process wrote to its stderr, nil if that is nothing.
func readDump(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dump, err := io.ReadAll(io.LimitReader(f, stderrLimit))
	if len(dump) == 0 {
		return nil, err
	}
	return dump, err
}

// explain puts the stacks that matter, the locks and a verdict into the incident.
func (r *report) explain(text []byte) {
	// Text in memory can be read to its end.
	d, _ := stackdump.Parse(bytes.NewReader(text), 0)
	if len(d.Goroutines) == 0 {
		return
	}
	locks := stackdump.Locks(d)
	i := &r.incident
	i.Evidence.Process.Goroutines = max(i.Evidence.Process.Goroutines, d.Total())
	i.Evidence.Locks = lockStates(locks)
	said := ""
	for _, g := range r.guilty(d) {
		s := watchdog.Stack{Goroutine: g.ID, State: g.State}
		if slot, err := strconv.Atoi(g.Labels[watchdog.LabelSlot]); err == nil {
			s.Request, s.Route = request(i, slot)
		}
		for _, f := range g.Frames[:min(len(g.Frames), mostFrames)] {
			s.Frames = append(s.Frames, f.String())
		}
		i.Evidence.Stacks = append(i.Evidence.Stacks, s)
		if said == "" {
			said = "; " + cmp.Or(s.Route, "goroutine "+strconv.FormatInt(g.ID, 10)) + " " + doing(g)
		}
	}
	if _, _, deadlock := stackdump.Crossed(locks); said == "" || deadlock {
		said += ". " + stackdump.Verdict(locks, stackdump.Groups(d))
	}
	i.Verdict += said
}

// guilty are the goroutines that work for stuck requests; of a program that
// crashed the one that did it, which Go prints first.
func (r *report) guilty(d *stackdump.Dump) []*stackdump.Goroutine {
	var found []*stackdump.Goroutine
	for k := range d.Goroutines {
		g := &d.Goroutines[k]
		if r.crashed {
			return append(found, g)
		}
		slot, err := strconv.Atoi(g.Labels[watchdog.LabelSlot])
		stuck := func(s watchdog.Stuck) bool { return s.Slot == slot }
		if err == nil && slices.ContainsFunc(r.incident.Stuck, stuck) && len(found) < mostStacks {
			found = append(found, g)
		}
	}
	return found
}

// request returns id and route of the stuck request in a slot.
func request(i *watchdog.Incident, slot int) (id, route string) {
	for _, s := range i.Stuck {
		if s.Slot == slot {
			return s.Request, s.Route
		}
	}
	return "", ""
}

// doing says where a goroutine is.
func doing(g *stackdump.Goroutine) string {
	if len(g.Frames) == 0 {
		return "runs on a processor and cannot be interrupted, so that its stack is not known"
	}
	return fmt.Sprintf("is in %s (%s)", g.Where(), g.State)
}

// lockStates names the locks that most wait for.
func lockStates(locks []stackdump.Lock) []watchdog.LockState {
	var states []watchdog.LockState
	for _, l := range locks[:min(len(locks), mostLocks)] {
		s := watchdog.LockState{Name: string(l.Kind)}
		if l.Addr != 0 {
			s.Name += " " + l.Addr.String()
		}
		if len(l.Holders) > 0 {
			s.Holder = "perhaps " + goroutineAt(l.Holders[0].Goroutine) + ": it " + l.Holders[0].Why
		}
		for _, g := range l.Waiters[:min(len(l.Waiters), mostWaiters)] {
			s.Waiters = append(s.Waiters, goroutineAt(g))
		}
		states = append(states, s)
	}
	return states
}

func goroutineAt(g *stackdump.Goroutine) string {
	return fmt.Sprintf("goroutine %d in %s", g.ID, g.Where())
}
