package main

import (
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// topReport is what --json prints. Fields are only ever added.
type topReport struct {
	PID      int       `json:"pid"` // of the master
	UptimeMS int64     `json:"uptime_ms"`
	Pools    []topPool `json:"pools"`
}

type topPool struct {
	Name       string            `json:"name"`
	Places     int               `json:"places"`    // workers that there should be
	Accepting  int               `json:"accepting"` // workers that take new connections
	Backlog    int               `json:"backlog"`
	BacklogMax int               `json:"backlog_max"`
	Requests   uint64            `json:"requests"` // of all processes that ever were, as all that follow
	SoftKills  uint64            `json:"soft_kills"`
	Recovered  uint64            `json:"recovered"`
	Kills      uint64            `json:"kills"`
	Lost       uint64            `json:"lost"`
	Answered   uint64            `json:"answered"`
	Moved      uint64            `json:"moved"`
	Gates      uint64            `json:"gates"`
	Shed       uint64            `json:"shed"`
	HangUps    uint64            `json:"hang_ups"`
	LateWrites uint64            `json:"late_writes"`
	Ends       map[string]uint64 `json:"ends"`
	Counters   map[string]uint64 `json:"counters"` // that are not 0
	Routes     []topRoute        `json:"routes"`
	Workers    []topWorker       `json:"workers"`
}

type topRoute struct {
	Route    string `json:"route"`
	Requests uint64 `json:"requests"`
	TotalMS  int64  `json:"total_ms"`
}

type topWorker struct {
	Worker         string    `json:"worker"`
	Index          int       `json:"index"` // -1: a spare
	Incarnation    uint64    `json:"incarnation"`
	PID            int       `json:"pid"`
	State          string    `json:"state"`
	Accepting      bool      `json:"accepting"`
	AgeMS          int64     `json:"age_ms"`
	HeartbeatAgeMS int64     `json:"heartbeat_age_ms"`
	Requests       uint64    `json:"requests"`
	Connections    int       `json:"connections"`
	Abandoned      int       `json:"abandoned"`
	Goroutines     int       `json:"goroutines"`
	Runnable       int       `json:"runnable"`
	LatencyUS      int64     `json:"latency_us"`
	Procs          int       `json:"procs"`
	DumpingMS      int64     `json:"dumping_ms"` // 0: it does not
	Deadlock       bool      `json:"deadlock"`
	Busy           []topSlot `json:"busy"`
}

// topSlot is one request under way. Of one that changed while it was read
// only slot, generation and phase are known.
type topSlot struct {
	Slot        int    `json:"slot"`
	Generation  uint64 `json:"generation"`
	Phase       string `json:"phase"`
	Request     string `json:"request,omitempty"`
	Route       string `json:"route,omitempty"`
	Client      string `json:"client,omitempty"`
	Stream      bool   `json:"stream,omitempty"`
	AgeMS       int64  `json:"age_ms"`
	SilentMS    int64  `json:"silent_ms"`              // of a stream
	SoftLeftMS  *int64 `json:"soft_left_ms,omitempty"` // negative: passed; absent: it has none
	HardLeftMS  *int64 `json:"hard_left_ms,omitempty"`
	AbandonedMS int64  `json:"abandoned_ms"` // since it was given up
	Group       int    `json:"group,omitempty"`
}

func newTopReport(s topSample) topReport {
	r := topReport{PID: s.PID, UptimeMS: s.Uptime.Milliseconds(), Pools: []topPool{}}
	for _, p := range s.Board.Pools {
		r.Pools = append(r.Pools, newTopPool(s, p))
	}
	return r
}

func newTopPool(s topSample, p scoreboard.PoolState) topPool {
	r := topPool{
		Name: p.Name, Places: p.Places, Backlog: p.Backlog, BacklogMax: p.Limit, Requests: requestsOf(p),
		SoftKills: p.Soft[scoreboard.SoftKills], Recovered: p.Soft[scoreboard.Recovered], Kills: killsOf(p),
		Lost: p.Lost, Answered: p.Answered, Moved: p.Moved,
		Gates: p.Soft[scoreboard.Gates], Shed: p.Soft[scoreboard.Shed],
		HangUps: p.Soft[scoreboard.HangUps], LateWrites: p.Soft[scoreboard.LateWrites],
		Ends: map[string]uint64{}, Counters: map[string]uint64{}, Routes: []topRoute{}, Workers: []topWorker{},
	}
	for reason := watchdog.None + 1; reason < watchdog.Reasons; reason++ {
		if reason.Ends() {
			r.Ends[reason.String()] = p.Ends[reason]
		}
	}
	for i, n := range p.Counters {
		if n > 0 { // there are hundreds
			r.Counters[s.Layout.Counters[i]] = n
		}
	}
	for i, h := range p.Histograms {
		r.Routes = append(r.Routes, topRoute{s.Layout.Routes[i], h.Count(), h.Sum.Milliseconds()})
	}
	for _, w := range p.Workers {
		if accepts(s.Layout, w) {
			r.Accepting++
		}
		r.Workers = append(r.Workers, newTopWorker(s, w))
	}
	return r
}

func newTopWorker(s topSample, w scoreboard.Worker) topWorker {
	r := topWorker{
		Worker: placeName(w.ID), Index: w.ID.Index, Incarnation: w.Incarnation, PID: w.PID,
		State: w.State.String(), Accepting: accepts(s.Layout, w),
		AgeMS: since(s.Board.Now, w.Started), HeartbeatAgeMS: s.Board.HeartbeatAge(w).Milliseconds(),
		Requests: w.Served, Connections: w.Connections, Abandoned: abandonedOf(w),
		Goroutines: w.Vitals.Goroutines, Runnable: w.Vitals.Runnable, LatencyUS: w.Vitals.Latency.Microseconds(), Procs: w.Vitals.Procs,
		DumpingMS: since(s.Board.Now, w.Dumping), Deadlock: w.Deadlock, Busy: []topSlot{},
	}
	for _, v := range w.Busy {
		r.Busy = append(r.Busy, newTopSlot(s, v))
	}
	return r
}

func newTopSlot(s topSample, v scoreboard.View) topSlot {
	r := topSlot{Slot: v.Index, Generation: v.Token.Generation(), Phase: v.Token.Phase().String()}
	if v.Torn {
		return r
	}
	now := s.Board.Now
	r.Request, r.Route, r.Client = v.Request.ID, routeName(s.Layout, v.Request.Route), v.Request.Client
	r.Stream, r.AgeMS, r.Group = v.Request.Stream, v.Age(now).Milliseconds(), v.Group
	if v.Request.Stream {
		r.SilentMS = since(now, v.Touched)
	}
	r.AbandonedMS = since(now, v.Killed)
	r.SoftLeftMS, r.HardLeftMS = left(now, v.Request.Soft), left(now, v.Request.Hard)
	return r
}

// since returns the milliseconds from then to now, 0 if then is none.
func since(now, then int64) int64 {
	if then == 0 {
		return 0
	}
	return time.Duration(max(0, now-then)).Milliseconds()
}

func left(now, deadline int64) *int64 {
	if deadline == 0 {
		return nil
	}
	ms := time.Duration(deadline - now).Milliseconds()
	return &ms
}

// requestsOf returns how many requests of a pool were ever answered, on routes
// of which latencies are recorded.
func requestsOf(p scoreboard.PoolState) uint64 {
	var n uint64
	for _, h := range p.Histograms {
		n += h.Count()
	}
	return n
}

// killsOf returns how many workers were killed because something in them was stuck.
func killsOf(p scoreboard.PoolState) uint64 {
	var n uint64
	for reason, ends := range p.Ends {
		if watchdog.Reason(reason).Kills() {
			n += ends
		}
	}
	return n
}

// abandonedOf returns how many requests were given up and go on.
func abandonedOf(w scoreboard.Worker) int {
	n := 0
	for _, v := range w.Busy {
		if phase := v.Token.Phase(); phase == scoreboard.Killed || phase == scoreboard.Seized {
			n++
		}
	}
	return n
}

// accepts reports whether a worker takes new work: it was told to, or nobody
// tells workers of its pool, because they have no slots to judge them by.
func accepts(l scoreboard.Layout, w scoreboard.Worker) bool {
	guarded := slices.ContainsFunc(l.Pools, func(p scoreboard.PoolLayout) bool { return p.Name == w.ID.Pool && p.Slots > 0 })
	return w.Accepting || !guarded && w.State == watchdog.Ready
}

func placeName(id watchdog.ID) string {
	if id.Index < 0 {
		return id.Pool + "/spare"
	}
	return id.String()
}

func routeName(l scoreboard.Layout, route int) string {
	if route < 0 || route >= len(l.Routes) {
		return ""
	}
	return l.Routes[route]
}
