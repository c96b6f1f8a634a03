package master

import (
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// place is one place in a pool and the processes that fill it.
type place struct {
	id     watchdog.ID
	pool   *pool
	region *scoreboard.Region

	current  *child   // does the work, or starts; nil while a restart is due
	next     *child   // starts, to take current's place
	retiring []*child // replaced, finishing

	incarnations uint64
	early        int       // early deaths in a row
	restart      time.Time // when current is started; zero: not at all
}

// pool is a watchdog.Pool and what became of it.
type pool struct {
	watchdog.Pool
	everReady bool
}

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

// show makes c the incarnation that the scoreboard names.
func (p *place) show(c *child) { p.region.Begin(c.incarnation, c.pid(), c.state) }

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
