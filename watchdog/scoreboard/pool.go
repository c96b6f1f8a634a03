package scoreboard

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Words of a pool's page. The first is written by workers and the master, all
// others by the master alone, each group on a cache line of its own.
const (
	wordAccepting = 0 // one bit for each region that may accept

	wordBacklog    = 8 // connections that wait to be accepted
	wordBacklogMax = 9
	wordLost       = 10 // requests under way in workers that were killed or died
	wordAnswered   = 11 // 504 that the master wrote itself
	wordMoved      = 12 // connections handed from one worker to another
	wordPlaces     = 13 // workers that the pool should have

	wordEnds      = 16                               // why workers ended: one word for each reason
	wordKills     = wordEnds + int(watchdog.Reasons) // why the master killed them
	wordIncidents = wordKills + int(watchdog.Reasons)
	wordDumps     = wordIncidents + int(watchdog.Reasons) // a histogram
	wordCPU       = wordDumps + histogramWords            // of the dead: one word for each place

	maxPlaces = 256 // as many as [watchdog.Pool] allows
	poolWords = wordCPU + maxPlaces
)

var _ [poolSize - poolWords*wordSize]byte // they fit

// Pool is the part of one pool.
type Pool struct {
	name    string
	words   []uint64
	regions []*Region
}

func newPool(b *Board, planned poolPlan) *Pool {
	p := &Pool{name: planned.Name, words: b.words(planned.at, poolWords)}
	for i := range planned.Regions {
		p.regions = append(p.regions, newRegion(b, p, planned, i))
	}
	return p
}

// Name returns the pool's name.
func (p *Pool) Name() string { return p.name }

// Region returns one region.
func (p *Pool) Region(i int) (*Region, error) {
	if i < 0 || i >= len(p.regions) {
		return nil, fmt.Errorf("scoreboard has no region %d of pool %s", i, p.name)
	}
	return p.regions[i], nil
}

// Regions returns all regions, used or not.
func (p *Pool) Regions() []*Region { return p.regions }

// Tally is something that the master counts or measures for a whole pool.
type Tally int

// Tallies of a pool.
const (
	Backlog    = Tally(wordBacklog)    // connections that wait to be accepted, now
	BacklogMax = Tally(wordBacklogMax) // how many may
	Lost       = Tally(wordLost)       // requests under way in workers that were killed or died, ever
	Answered   = Tally(wordAnswered)   // 504 written by the master, ever
	Moved      = Tally(wordMoved)      // connections handed to another worker, ever
	Places     = Tally(wordPlaces)     // workers that there should be
)

// Tally returns one of the pool's numbers.
func (p *Pool) Tally(t Tally) uint64 { return atomic.LoadUint64(&p.words[t]) }

// Add counts n more. Only the master does.
func (p *Pool) Add(t Tally, n uint64) { atomic.AddUint64(&p.words[t], n) }

// Set writes what was measured. Only the master does.
func (p *Pool) Set(t Tally, n uint64) { atomic.StoreUint64(&p.words[t], n) }

// CountEnd counts the end of a worker. Only the master does.
func (p *Pool) CountEnd(r watchdog.Reason) { atomic.AddUint64(&p.words[wordEnds+int(r)], 1) }

// Ends returns how many workers ended for that reason.
func (p *Pool) Ends(r watchdog.Reason) uint64 { return atomic.LoadUint64(&p.words[wordEnds+int(r)]) }

// CountKill counts a worker that was killed. Only the master does.
func (p *Pool) CountKill(r watchdog.Reason) { atomic.AddUint64(&p.words[wordKills+int(r)], 1) }

// CountIncident counts an incident that the master wrote down.
func (p *Pool) CountIncident(r watchdog.Reason) {
	atomic.AddUint64(&p.words[wordIncidents+int(r)], 1)
}

// ObserveDump records how long a worker took to write its stacks as it was killed.
func (p *Pool) ObserveDump(took time.Duration) {
	observe(p.words[wordDumps:wordDumps+histogramWords], took)
}

// AddCPU adds what a worker of that place has used that is not shown any more.
// Only the master does.
func (p *Pool) AddCPU(place int, used time.Duration) {
	if place >= 0 && place < maxPlaces {
		atomic.AddUint64(&p.words[wordCPU+place], uint64(used))
	}
}

// CPU returns what dead workers of that place have used.
func (p *Pool) CPU(place int) time.Duration {
	if place < 0 || place >= maxPlaces {
		return 0
	}
	return time.Duration(atomic.LoadUint64(&p.words[wordCPU+place]))
}

// accepting is the bitmap of the regions that may accept.
func (p *Pool) accepting() uint64 { return atomic.LoadUint64(&p.words[wordAccepting]) }

func (p *Pool) setAccepting(bit uint64) { atomic.OrUint64(&p.words[wordAccepting], bit) }

func (p *Pool) clearAccepting(bit uint64) { atomic.AndUint64(&p.words[wordAccepting], ^bit) }

// leave clears bit unless it is the last one whose worker has a heartbeat
// younger than fresh: somebody must accept, however badly.
func (p *Pool) leave(bit uint64, fresh time.Duration) bool {
	for {
		now := p.accepting()
		if now&bit == 0 {
			return true
		}
		if !p.another(now&^bit, fresh) {
			return false
		}
		if atomic.CompareAndSwapUint64(&p.words[wordAccepting], now, now&^bit) {
			return true
		}
	}
}

// another reports whether one of those regions is alive and told to accept.
func (p *Pool) another(bits uint64, fresh time.Duration) bool {
	now := Now()
	for i, r := range p.regions {
		if bits&(1<<i) != 0 && r.Order() == Accept && r.load(wordHeartbeat) != 0 && now-r.Heard() < int64(fresh) {
			return true
		}
	}
	return false
}
