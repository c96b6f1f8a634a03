package scoreboard

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// Words of a region's head. Each group has one writer and a cache line of its own.
const (
	// The master's.
	wordIncarnation = 0
	wordPID         = 1
	wordState       = 2
	wordIndex       = 3 // of the place; its value + 1, so that 0 is none
	wordStarted     = 4
	wordOrder       = 5
	wordSpent       = 6 // ns of processor time, once it was reaped

	// The worker's, with every beat.
	wordHeartbeat  = 8
	wordGoroutines = 9
	wordRunnable   = 10
	wordLatency    = 11 // ns that goroutines wait for a processor, 99th percentile
	wordDumping    = 12 // since when the worker dumps itself; 0: it does not
	wordDeadlock   = 13 // 1: it has proof of one
	wordProcs      = 14
	wordEvery      = 15 // ns from this beat to the next

	// The worker's, now and then.
	wordUsed = 16 // slots that were ever used, from the first on

	// The worker's, about once a second.
	wordHeap = 17 // bytes that the last garbage collection left

	// The worker's counters of what the watchdog does inside it.
	wordSoft     = 24 // first of the softs
	wordReported = wordSoft + int(softs)
	wordOwnDumps = wordReported + int(watchdog.Reasons)
	regionWords  = (wordOwnDumps + histogramWords + 7) / 8 * 8
)

// Soft is something that a worker's own watchdog counts. Unlike slots, these
// go on from one incarnation to the next.
type Soft int

// What a worker's watchdog counts.
const (
	SoftKills    Soft = iota // requests that were given up at their deadline
	Recovered                // of these, those that ended by themselves later
	HangUps                  // requests canceled because their client went away
	Shed                     // connections refused with 503
	Gates                    // times that the worker stopped accepting because nothing completed
	LateWrites               // writes refused because the client had been answered
	LockStalls               // locks that nobody left, or that somebody held for long
	Collections              // garbage collections
	CollectorCPU             // ns of processor time that they took
	LogLost                  // lines of the log that nobody read
	softs
)

// Order is what the master wants a worker to do with new connections.
type Order uint64

// Orders.
const (
	Hold   Order = iota // do not accept: a spare, or a worker that drains
	Accept              // take new connections
)

// Region is the part of one process. The master gives it to one incarnation at
// a time, and to the next only when the process before is gone.
type Region struct {
	pool       *Pool
	position   int
	bit        uint64 // in the pool's bitmap
	words      []uint64
	counters   []uint64
	histograms []uint64
	slots      []Slot
}

func newRegion(b *Board, p *Pool, planned poolPlan, i int) *Region {
	at := planned.first + i*planned.region
	counters, routes := len(b.plan.layout.Counters), len(b.plan.layout.Routes)
	all := b.words(at, regionWords+counters+routes*histogramWords)
	r := &Region{
		pool: p, position: i, bit: 1 << i,
		words:      all[:regionWords],
		counters:   all[regionWords : regionWords+counters],
		histograms: all[regionWords+counters:],
	}
	if planned.Slots > 0 {
		first := unsafe.Pointer(&b.memory[at+slotsOffset(counters, routes)])
		r.slots = unsafe.Slice((*Slot)(first), planned.Slots)
	}
	return r
}

// Pool returns the pool that the region belongs to.
func (r *Region) Pool() *Pool { return r.pool }

// Position returns the region's number in its pool.
func (r *Region) Position() int { return r.position }

// ID returns the place that the process fills; Index is -1 for a spare.
func (r *Region) ID() watchdog.ID {
	return watchdog.ID{Pool: r.pool.name, Index: int(r.load(wordIndex)) - 1}
}

// Add counts n more on counter i. It panics if there is no such counter.
func (r *Region) Add(i int, n uint64) { atomic.AddUint64(&r.counters[i], n) }

// Value returns counter i.
func (r *Region) Value(i int) uint64 { return atomic.LoadUint64(&r.counters[i]) }

// Count counts n more of what the worker's watchdog does.
func (r *Region) Count(s Soft, n uint64) { atomic.AddUint64(&r.words[wordSoft+int(s)], n) }

// Counted returns how often it did.
func (r *Region) Counted(s Soft) uint64 { return r.load(wordSoft + int(s)) }

// CountIncident counts an incident that the worker itself wrote down.
func (r *Region) CountIncident(reason watchdog.Reason) {
	atomic.AddUint64(&r.words[wordReported+int(reason)], 1)
}

// Incidents returns how many incidents workers of this region wrote down.
func (r *Region) Incidents(reason watchdog.Reason) uint64 { return r.load(wordReported + int(reason)) }

// ObserveDump records for how long the worker stood still to dump itself.
func (r *Region) ObserveDump(took time.Duration) {
	observe(r.words[wordOwnDumps:wordOwnDumps+histogramWords], took)
}

// Slots returns all slots of the region.
func (r *Region) Slots() []Slot { return r.slots }

// Use says that the first n slots have been used; readers look at no others.
// Only the worker calls it, and one goroutine at a time.
func (r *Region) Use(n int) {
	if uint64(n) > r.load(wordUsed) {
		r.store(wordUsed, uint64(n))
	}
}

// Used returns the slots that were ever used by this incarnation.
func (r *Region) Used() []Slot { return r.slots[:min(int(r.load(wordUsed)), len(r.slots))] }

// Served returns how many requests this incarnation has answered.
func (r *Region) Served() uint64 {
	var n uint64
	used := r.Used()
	for i := range used {
		n += used[i].served.Load()
	}
	return n
}

// Vitals is what a worker says about itself with every beat.
type Vitals struct {
	Goroutines int
	Runnable   int           // goroutines that wait for a processor
	Latency    time.Duration // that they wait, 99th percentile since the last beat
	Procs      int           // GOMAXPROCS
	// Every is when the next beat comes. A worker that has no connections beats
	// less often than [BeatEvery], because waking up is what an idle process costs.
	Every time.Duration
}

// BeatEvery is how often a worker beats that has something to do.
const BeatEvery = 100 * time.Millisecond

// Leisurely returns when, after now in the time of [Now], what a process does
// without haste once in every comes next: at multiples of every. So all of it
// comes at once, and waking up is nearly all that an idle process costs.
func Leisurely(now int64, every time.Duration) time.Duration {
	return every - time.Duration(now)%every
}

// Memory is what a worker says about its memory, about once a second.
type Memory struct {
	Heap int64 // bytes that the last garbage collection left
}

// Remember writes the memory down. One goroutine of the worker calls it.
func (r *Region) Remember(m Memory) { r.store(wordHeap, uint64(m.Heap)) }

// Beat says that the process is alive. One goroutine of the worker calls it.
func (r *Region) Beat(v Vitals) {
	r.store(wordGoroutines, uint64(v.Goroutines))
	r.store(wordRunnable, uint64(v.Runnable))
	r.store(wordLatency, uint64(v.Latency))
	r.store(wordProcs, uint64(v.Procs))
	r.store(wordEvery, uint64(v.Every))
	r.store(wordHeartbeat, uint64(Now()))
}

// Heard returns when the process was last heard of, in the time of [Now]: its
// last beat, or its start. For a worker that beats less often it is as much
// later, so that the age at which it is missed is the same for all.
func (r *Region) Heard() int64 {
	return int64(max(r.load(wordHeartbeat), r.load(wordStarted))) + max(0, int64(r.Every()-BeatEvery))
}

// Every returns when the next beat comes after the last one.
func (r *Region) Every() time.Duration { return time.Duration(r.load(wordEvery)) }

// SetDumping says since when the worker dumps itself, in the time of [Now]; 0
// when it is done. A process whose world cannot be stopped stays in there.
func (r *Region) SetDumping(since int64) { r.store(wordDumping, uint64(since)) }

// ReportDeadlock says that the worker found a cycle of locks: it cannot go on.
func (r *Region) ReportDeadlock() { r.store(wordDeadlock, 1) }

// Begin gives the region to a new incarnation. What the one before left in
// slots is forgotten, what it counted stays. Only the master calls this and
// the setters below, and no process may have the region.
func (r *Region) Begin(incarnation uint64, index int) {
	r.Dismiss()
	for _, w := range []int{wordHeartbeat, wordGoroutines, wordRunnable, wordLatency, wordDumping, wordDeadlock, wordProcs, wordEvery, wordHeap, wordSpent, wordPID} {
		r.store(w, 0)
	}
	used := r.Used()
	for i := range used {
		used[i].reset()
	}
	r.store(wordUsed, 0)
	r.store(wordIndex, uint64(index+1))
	r.store(wordStarted, uint64(Now()))
	r.store(wordState, uint64(watchdog.Starting))
	r.store(wordIncarnation, incarnation)
}

// SetPID shows the process.
func (r *Region) SetPID(pid int) { r.store(wordPID, uint64(pid)) }

// SetIndex shows the place that the process fills; -1 for none.
func (r *Region) SetIndex(index int) { r.store(wordIndex, uint64(index+1)) }

// SetSpent says how much processor time the process has used, as soon as it has
// ended: when it was reaped, not even the kernel knows. Any goroutine of the master may call it.
func (r *Region) SetSpent(cpu time.Duration) { r.store(wordSpent, uint64(cpu)) }

// Spent returns how much it has used, if it has ended.
func (r *Region) Spent() time.Duration { return time.Duration(r.load(wordSpent)) }

// SetState shows where the process is in its life. [watchdog.Absent] frees the region.
func (r *Region) SetState(s watchdog.State) {
	r.store(wordState, uint64(s))
	if s == watchdog.Absent {
		r.store(wordPID, 0)
	}
}

// Promote tells the worker to accept, and Dismiss not to.
func (r *Region) Promote() {
	r.store(wordOrder, uint64(Accept))
	r.pool.setAccepting(r.bit)
}

// Dismiss is the end of Promote.
func (r *Region) Dismiss() {
	r.store(wordOrder, uint64(Hold))
	r.pool.clearAccepting(r.bit)
}

// Order returns what the master wants.
func (r *Region) Order() Order { return Order(r.load(wordOrder)) }

// Accepting reports whether the worker may accept now: it was told to, and is
// not gated.
func (r *Region) Accepting() bool { return r.Order() == Accept && r.pool.accepting()&r.bit != 0 }

// Gate stops this worker from accepting, because nothing that it has accepted
// completes. It refuses, and returns false, when no other worker of the pool
// accepts and has a heartbeat younger than fresh. Only the worker calls it.
func (r *Region) Gate(fresh time.Duration) bool { return r.pool.leave(r.bit, fresh) }

// Ungate is the end of Gate.
func (r *Region) Ungate() {
	if r.Order() != Accept {
		return
	}
	r.pool.setAccepting(r.bit)
	if r.Order() != Accept { // dismissed in between
		r.pool.clearAccepting(r.bit)
	}
}

func (r *Region) load(word int) uint64     { return atomic.LoadUint64(&r.words[word]) }
func (r *Region) store(word int, v uint64) { atomic.StoreUint64(&r.words[word], v) }

// Now returns CLOCK_MONOTONIC in nanoseconds.
func Now() int64 {
	var ts unix.Timespec
	// Fails only for clocks that do not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}
