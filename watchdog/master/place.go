package master

import (
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// place is one place in a pool and the processes that fill it. The bench, with
// the index -1, is where the spare of a pool waits for its promotion.
type place struct {
	id   watchdog.ID
	pool *pool

	current  *child   // does the work, or starts; nil while a restart is due
	next     *child   // starts, to take current's place
	retiring []*child // replaced, finishing or being killed

	early   int       // early deaths in a row
	restart time.Time // when current is started; zero: not at all
	hold    time.Time // no successor is started before
}

const bench = -1 // the index of the spare's place

func (p *place) isBench() bool { return p.id.Index == bench }

// children calls f for all processes of the place.
func (p *place) children(f func(*child)) {
	if p.current != nil {
		f(p.current)
	}
	if p.next != nil {
		f(p.next)
	}
	for _, c := range p.retiring {
		f(c)
	}
}

func (p *place) empty() bool { return p.current == nil && p.next == nil && len(p.retiring) == 0 }

// forget takes c out of its place and says whether it was the current one.
func (p *place) forget(c *child) bool {
	if c == p.next {
		p.next = nil
	}
	for i, r := range p.retiring {
		if r == c {
			p.retiring = append(p.retiring[:i:i], p.retiring[i+1:]...)
			break
		}
	}
	if c != p.current {
		return false
	}
	p.current = nil
	return true
}

// pool is a watchdog.Pool and what became of it.
type pool struct {
	watchdog.Pool
	board        *scoreboard.Pool
	free         []*scoreboard.Region // that no process has
	places       []*place             // without the bench
	bench        *place               // nil if the pool has no spare
	incarnations uint64
	everReady    bool
	stall        string // the place where workers wait for a dependency that is down; "" if none is
}

// newPool makes the places of a pool, and shows how many they are.
func newPool(p watchdog.Pool, board *scoreboard.Pool) *pool {
	kept := &pool{Pool: p, board: board, free: slices.Clone(board.Regions())}
	for i := range p.Count {
		kept.places = append(kept.places, &place{id: watchdog.ID{Pool: p.Name, Index: i}, pool: kept})
	}
	if p.Spare {
		kept.bench = &place{id: watchdog.ID{Pool: p.Name, Index: bench}, pool: kept}
	}
	board.Set(scoreboard.Places, uint64(p.Count))
	return kept
}

// guarded reports whether the pool's workers accept only when they are told to,
// and are judged.
func (p *pool) guarded() bool { return p.Slots > 0 }

// all returns the places and the bench.
func (p *pool) all() []*place {
	if p.bench == nil {
		return p.places
	}
	return append(p.places[:len(p.places):len(p.places)], p.bench)
}

// take returns a region that no process has, nil if there is none.
func (p *pool) take() *scoreboard.Region {
	if len(p.free) == 0 {
		return nil
	}
	r := p.free[0]
	p.free = p.free[1:]
	return r
}

// give takes back the region of a process that is gone.
func (p *pool) give(r *scoreboard.Region) {
	index, spent := r.ID().Index, r.Spent()
	r.Dismiss()
	r.SetState(watchdog.Absent)
	p.board.AddCPU(index, spent)
	p.free = append(p.free, r)
}
