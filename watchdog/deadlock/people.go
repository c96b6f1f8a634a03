package deadlock

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// people tells which request a goroutine works for.
type people struct {
	offenders map[int]watchdog.Kill // by slot: those that were given up and go on
	requests  map[int]lock.Holder   // by slot: everybody who is in the dump
	members   map[int][]*stackdump.Goroutine
}

// people looks up who is in the last dump, as the scoreboard is now.
func (d *Detector) people(q *inquiry, dumps []*stackdump.Dump) *people {
	p := &people{offenders: map[int]watchdog.Kill{}, requests: map[int]lock.Holder{}, members: map[int][]*stackdump.Goroutine{}}
	for _, k := range q.kills {
		if q.ungiven || d.goesOn(k) {
			p.offenders[k.Slot] = k
		}
	}
	if len(dumps) == 0 {
		return p
	}
	last := dumps[len(dumps)-1]
	for i := range last.Goroutines {
		g := &last.Goroutines[i]
		slot, ok := slotOf(g)
		if !ok {
			continue
		}
		p.members[slot] = append(p.members[slot], g)
		if len(p.members[slot]) > 1 {
			continue
		}
		if request, ok := d.request(p, slot); ok {
			p.requests[slot] = request
		}
	}
	return p
}

// request returns what runs in a slot; false if nothing does.
func (d *Detector) request(p *people, slot int) (lock.Holder, bool) {
	if k, ok := p.offenders[slot]; ok {
		return holderOf(k), true
	}
	slots := d.config.Region.Slots()
	if slot < 0 || slot >= len(slots) {
		return lock.Holder{}, false
	}
	v := slots[slot].View(slot)
	if v.Torn || !v.Token.Busy() {
		return lock.Holder{}, false
	}
	h := lock.Holder{Request: v.Request.ID, Slot: slot, Generation: v.Token.Generation()}
	if v.Request.Route >= 0 && v.Request.Route < len(d.config.Routes) {
		h.Route = d.config.Routes[v.Request.Route]
	}
	return h, true
}

func holderOf(k watchdog.Kill) lock.Holder {
	return lock.Holder{Request: k.Request, Route: k.Route, Slot: k.Slot, Generation: k.Generation}
}

func nameOf(k watchdog.Kill) string { return holderOf(k).String() }

func slotOf(g *stackdump.Goroutine) (int, bool) {
	text, ok := g.Labels[watchdog.LabelSlot]
	if !ok {
		return 0, false
	}
	slot, err := strconv.Atoi(text)
	return slot, err == nil
}

// main returns the goroutine that serves a slot; nil if there is none. Labels
// are inherited, also by those that outlive the request: it is the one that a
// server started, else the one that is there longest.
func (p *people) main(slot int) *stackdump.Goroutine {
	var oldest *stackdump.Goroutine
	for _, g := range p.members[slot] {
		switch g.Creator.Func {
		case "net/http.(*Server).Serve", "github.com/valyala/fasthttp.(*workerPool).getCh":
			return g
		}
		if oldest == nil || g.ID < oldest.ID {
			oldest = g
		}
	}
	return oldest
}

// name is how people call a goroutine: by its request, if it has one.
func (p *people) name(g *stackdump.Goroutine) string {
	slot, _ := slotOf(g)
	request, ok := p.requests[slot]
	switch {
	case !ok:
		return fmt.Sprintf("goroutine %d", g.ID)
	case g.ID == 0 || p.main(slot) == g:
		return request.String()
	}
	return fmt.Sprintf("goroutine %d of %s", g.ID, request)
}

// slots returns those of the requests that were given up, in order.
func (p *people) slots() []int { return slices.Sorted(maps.Keys(p.offenders)) }

// offends reports whether a goroutine works for a request that was given up.
func (p *people) offends(g *stackdump.Goroutine) bool {
	slot, ok := slotOf(g)
	if !ok {
		return false
	}
	_, offends := p.offenders[slot]
	return offends
}

// found reports whether the dump shows any request that was given up. It does
// not if goroutines are not labelled.
func (p *people) found() bool {
	for slot := range p.offenders {
		if len(p.members[slot]) > 0 {
			return true
		}
	}
	return false
}
