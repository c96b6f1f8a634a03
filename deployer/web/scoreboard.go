package web

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
)

// crew is the page of workers.
type crew struct {
	Missing string // why there is nothing to see
	Pools   []poolCard
}

// poolCard is one pool with what can be told from two looks at it.
type poolCard struct {
	Pool
	Rate float64   // requests per second; negative: not known yet
	Busy []busyRow // the oldest first
	More int       // of those that are not in Busy
	Ages []ageBand
}

// busyRow is one request or step under way.
type busyRow struct {
	Slot
	Worker string
	Share  int    // of the time until it is given up, in percent; 0 if it never is
	Tone   string // of the bar
}

// ageBand is how many of what is under way are not older than Up.
type ageBand struct {
	Up    string
	Count int
	Tone  string
}

const busyShown = 25

// workers answers GET /workers.
func (u *UI) workers(v *visit) error {
	seen, err := u.crewView(v.Context())
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: "Workers", Area: "workers", Reload: 5})
}

func (u *UI) crewView(context.Context) (view, error) {
	seen := view{page: "workers", topic: "/workers", parts: []string{"pools"}}
	if u.cfg.Workers == nil {
		seen.data = crew{Missing: "This service runs without a scoreboard."}
		return seen, nil
	}
	board, err := u.cfg.Workers.Look()
	if err != nil {
		return view{}, deployer.Errorf(deployer.CodeUnavailable, "the scoreboard cannot be read").Because(err)
	}
	var c crew
	rates := u.pace.rates(board, u.cfg.Now())
	for _, p := range board.Pools {
		c.Pools = append(c.Pools, cardOf(p, rates))
	}
	seen.data = c
	return seen, nil
}

func cardOf(p Pool, rates map[string]float64) poolCard {
	card := poolCard{Pool: p, Rate: -1}
	if rate, known := rates[p.Name]; known {
		card.Rate = rate
	}
	for _, w := range p.Workers {
		for _, s := range w.Busy {
			card.Busy = append(card.Busy, rowOf(w, s))
		}
	}
	slices.SortFunc(card.Busy, func(a, b busyRow) int {
		if a.Stream != b.Stream { // those are meant to be old
			return cmp.Compare(asNumber(a.Stream), asNumber(b.Stream))
		}
		return cmp.Compare(b.Age, a.Age)
	})
	card.Ages = bands(card.Busy)
	if n := len(card.Busy); n > busyShown {
		card.Busy, card.More = card.Busy[:busyShown], n-busyShown
	}
	return card
}

func rowOf(w Worker, s Slot) busyRow {
	row := busyRow{Slot: s, Worker: w.Name, Tone: "busy"}
	left := s.SoftLeft
	if left == nil {
		left = s.HardLeft
	}
	if left != nil {
		used := s.Age
		if s.Stream {
			used = s.Silent
		}
		row.Share = percent(used, used+*left)
		const late = 66
		if row.Share > late {
			row.Tone = "warn"
		}
		if *left < 0 {
			row.Share, row.Tone = 100, "bad"
		}
	}
	if s.Abandoned > 0 {
		row.Tone = "bad"
	}
	return row
}

func asNumber(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bands counts what is under way by its age. Streams are as old as they like,
// and so are the steps of a deployment: only what was given up is bad by itself.
func bands(rows []busyRow) []ageBand {
	limits := []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, 1 << 62}
	all := []ageBand{
		{Up: "under 0.1 s", Tone: "idle"},
		{Up: "under 1 s", Tone: "idle"},
		{Up: "under 10 s", Tone: "idle"},
		{Up: "older", Tone: "idle"},
		{Up: "streams", Tone: "busy"},
		{Up: "given up", Tone: "bad"},
	}
	streams, abandoned := &all[len(all)-2], &all[len(all)-1]
	for _, r := range rows {
		switch at, _ := slices.BinarySearch(limits, r.Age); {
		case r.Abandoned > 0:
			abandoned.Count++
		case r.Stream:
			streams.Count++
		default:
			all[at].Count++
		}
	}
	return all
}

// pace remembers one look at the scoreboard, to tell how fast it goes.
type pace struct {
	mu       sync.Mutex
	at       time.Time
	requests map[string]uint64
	last     map[string]float64
}

// rates returns the requests per second of each pool since the last look, which
// should be a moment ago: it is what lies between the looks of one page.
func (p *pace) rates(board Scoreboard, now time.Time) map[string]float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	const shortest, longest = 500 * time.Millisecond, 10 * time.Second
	passed := now.Sub(p.at)
	if passed < shortest {
		return p.last
	}
	rates, requests := make(map[string]float64), make(map[string]uint64)
	for _, pool := range board.Pools {
		requests[pool.Name] = pool.Requests
		if before, known := p.requests[pool.Name]; known && passed < longest && pool.Requests >= before {
			rates[pool.Name] = float64(pool.Requests-before) / passed.Seconds()
		}
	}
	p.at, p.requests, p.last = now, requests, rates
	return rates
}
