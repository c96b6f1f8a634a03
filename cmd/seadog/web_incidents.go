package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/web"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// webIncidents shows what the watchdog wrote down to the web UI. It implements
// [web.Incidents].
type webIncidents struct{ dir string }

// List implements [web.Incidents].
func (w webIncidents) List(_ context.Context, pool string, limit int) ([]web.Incident, error) {
	found, err := journal.List(w.dir, journal.Filter{Pool: pool, Limit: limit})
	if err != nil {
		return nil, err
	}
	shown := make([]web.Incident, len(found))
	for i, one := range found {
		shown[i] = webIncident(one)
	}
	return shown, nil
}

// Load implements [web.Incidents].
func (w webIncidents) Load(_ context.Context, name string) (web.Incident, error) {
	found, dump, err := findIncident(w.dir, name)
	if err != nil {
		return web.Incident{}, webIncidentError(err)
	}
	shown := webIncident(found)
	if dump != "" {
		if info, err := os.Stat(dump); err == nil {
			shown.DumpBytes = info.Size()
		}
	}
	return shown, nil
}

// Raw implements [web.Incidents].
func (w webIncidents) Raw(_ context.Context, id string) (io.ReadCloser, error) {
	_, path, err := journal.Load(w.dir, id)
	if err != nil {
		return nil, webIncidentError(err)
	}
	if path == "" {
		return nil, webIncidentError(journal.ErrNotFound)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = journal.ErrNotFound // pruned in this moment
	}
	if err != nil {
		return nil, webIncidentError(err)
	}
	return f, nil
}

func webIncidentError(err error) error {
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return deployer.Errorf(deployer.CodeNotFound, "there is no such incident, and none that hurt a request of that id").
			WithHint("old incidents make room for new ones")
	case errors.Is(err, journal.ErrAmbiguous):
		return deployer.Errorf(deployer.CodeNotFound, "more than one incident begins like that").WithHint("write more of its id")
	}
	return err
}

func webIncident(i watchdog.Incident) web.Incident {
	e := i.Evidence
	shown := web.Incident{
		ID: i.ID, Time: i.Time, Killing: i.Severity == watchdog.Killing, Reason: i.Reason, Verdict: i.Verdict,
		Worker: workerName(i), Pool: i.Pool, PID: i.PID, Incarnation: i.Incarnation,
		Stuck: webVictims(i.Stuck), Lost: webVictims(i.Lost),
		Process: web.Process{
			RSS: e.Process.RSSBytes, Descriptors: e.Process.Descriptors, Goroutines: e.Process.Goroutines,
			Runnable: e.Process.Runnable, Backlog: e.Process.Backlog,
		},
	}
	for _, m := range i.Timeline {
		shown.Timeline = append(shown.Timeline, web.Moment{After: milliseconds(m.AfterMS), What: m.What})
	}
	for _, l := range e.Locks {
		holder, guess := strings.CutPrefix(l.Holder, "perhaps ")
		shown.Locks = append(shown.Locks, web.HeldLock{Name: l.Name, Holder: holder, Guess: guess, Waiters: l.Waiters, Proven: l.Proven})
	}
	slices.SortStableFunc(shown.Locks, func(a, b web.HeldLock) int { return cmp.Compare(rank(b.Proven), rank(a.Proven)) })
	for _, s := range e.Stacks {
		_, inside := ownFrames(s.Frames)
		shown.Stacks = append(shown.Stacks, web.Stack{
			Goroutine: s.Goroutine, Request: s.Request, Route: s.Route, State: s.State, Frames: s.Frames, Own: len(inside),
		})
	}
	slices.SortStableFunc(shown.Stacks, func(a, b web.Stack) int { return cmp.Compare(rank(b.Request != ""), rank(a.Request != "")) })
	for _, t := range e.Threads {
		shown.Threads = append(shown.Threads, webThread(t))
	}
	return shown
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

func webVictims(list []watchdog.Stuck) []web.Victim {
	var shown []web.Victim
	for _, s := range list {
		shown = append(shown, web.Victim{
			Request: s.Request, Route: s.Route, Client: s.Client, Slot: s.Slot, Age: milliseconds(s.AgeMS), Outcome: s.Outcome,
		})
	}
	return shown
}

func webThread(t watchdog.Thread) web.Thread {
	var where []string
	if t.Wait != "" && t.Wait != "0" {
		where = append(where, "in "+t.Wait)
	}
	if t.Syscall == "running" {
		where = append(where, "on a processor")
	} else if number, _, _ := strings.Cut(t.Syscall, " "); number != "" {
		where = append(where, "system call "+number)
	}
	return web.Thread{TID: t.TID, State: t.State, Where: strings.Join(where, ", "), CPU: milliseconds(t.CPUMS)}
}

const (
	webGroups = 40 // of goroutines
	webFrames = 30
	webPlaces = 6 // where a lock is waited for
	webNames  = 12
)

// Dump implements [web.Incidents].
func (w webIncidents) Dump(ctx context.Context, id string) (web.Dump, error) {
	i, _, err := journal.Load(w.dir, id)
	if err != nil {
		return web.Dump{}, webIncidentError(err)
	}
	raw, err := w.Raw(ctx, id)
	if err != nil {
		return web.Dump{}, err
	}
	defer raw.Close()
	d, err := stackdump.Parse(raw, 0)
	if err != nil && d.Total() == 0 {
		return web.Dump{}, fmt.Errorf("read the dump of incident %s: %w", id, err)
	}
	return webDump(d, requestsBySlot(i)), nil
}

// requestsBySlot names the requests that an incident knows by the slot that
// their goroutines are labelled with.
func requestsBySlot(i watchdog.Incident) map[string]string {
	names := make(map[string]string)
	for _, s := range slices.Concat(i.Stuck, i.Lost) {
		if s.Request != "" {
			names[strconv.Itoa(s.Slot)] = s.Request
		}
	}
	return names
}

func webDump(d *stackdump.Dump, requests map[string]string) web.Dump {
	locks, groups := stackdump.Locks(d), stackdump.Groups(d)
	shown := web.Dump{Verdict: stackdump.Verdict(locks, groups), Total: d.Total()}
	for _, l := range locks {
		name := string(l.Kind)
		if l.Addr != 0 {
			name += " " + l.Addr.String()
		}
		one := web.DumpLock{Name: name, Count: l.Count, Where: places(l.Waiters)}
		for _, c := range l.Holders {
			one.Holders = append(one.Holders, fmt.Sprintf("goroutine %d at %s: it %s", c.Goroutine.ID, c.Goroutine.Where(), c.Why))
		}
		shown.Locks = append(shown.Locks, one)
	}
	for _, g := range groups[:min(len(groups), webGroups)] {
		one := web.DumpGroup{State: g.State, Where: g.Where.String(), Creator: g.Creator.Name(), Runtime: g.Runtime, Count: g.Count, Minutes: g.Minutes}
		if len(g.Members) > 0 {
			for _, f := range g.Members[0].Frames[:min(len(g.Members[0].Frames), webFrames)] {
				one.Frames = append(one.Frames, f.String())
			}
		}
		one.Requests = worksFor(g.Members, requests)
		shown.Groups = append(shown.Groups, one)
	}
	// What works for requests says most, what the runtime does for itself least.
	slices.SortStableFunc(shown.Groups, func(a, b web.DumpGroup) int {
		return cmp.Or(cmp.Compare(rank(len(b.Requests) > 0), rank(len(a.Requests) > 0)), cmp.Compare(rank(a.Runtime), rank(b.Runtime)))
	})
	return shown
}

// places are where goroutines are, the most crowded first.
func places(list []*stackdump.Goroutine) []string {
	counts := make(map[string]int)
	for _, g := range list {
		counts[g.Where().String()]++
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var shown []string
	for _, name := range names[:min(len(names), webPlaces)] {
		if counts[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, counts[name])
		}
		shown = append(shown, name)
	}
	return shown
}

// worksFor names the requests that goroutines work for.
func worksFor(list []*stackdump.Goroutine, requests map[string]string) []string {
	var names []string
	for _, g := range list {
		slot, labelled := g.Labels[watchdog.LabelSlot]
		if !labelled || len(names) == webNames {
			continue
		}
		names = append(names, cmp.Or(requests[slot], "slot "+slot))
	}
	return names
}
