package guard

import (
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

const (
	// suspectFor is how long nothing may complete while suspectCount requests run.
	suspectFor   = 250 * time.Millisecond
	suspectCount = 4
	probeEvery   = time.Second
)

// suspect is the suspicion that whatever this process accepts gets stuck. On a
// socket that processes share, such a one swallows connections that others
// would serve; so it stops to accept, but for a probe now and then.
type suspect struct {
	served uint64 // by all slots
	since  int64  // since when nothing has completed while enough requests ran
	probed int64
}

func (g *Guard) judgeGate(now int64, s *survey) {
	if g.policy.Omit.Gate {
		return
	}
	p := &g.suspect
	served, gated := p.served, g.gated.Load()
	if gated || s.running >= suspectCount {
		served = g.region.Served()
	}
	completed := served != p.served
	p.served = served
	if gated {
		g.judgeReopen(now, completed || s.running+s.stuck == 0)
		return
	}
	if completed || s.running < suspectCount || p.since == 0 {
		p.since = now
		return
	}
	if now-p.since < int64(suspectFor) || !g.region.Accepting() || !g.region.Gate(g.policy.Fresh) {
		return
	}
	g.gated.Store(true)
	p.probed = now
	g.mu.Lock()
	g.probes = 0
	g.interrupt()
	g.mu.Unlock()
	g.region.Count(scoreboard.Gates, 1)
	running := s.running
	g.chores.do(func() {
		g.log.Warn("stopped accepting: nothing completes", watchdog.KeyRequests, running, watchdog.KeyDuration, suspectFor)
	})
}

// judgeReopen accepts again when something was served, or nothing is stuck any
// more, or the master insists; until then it lets one connection in now and then.
func (g *Guard) judgeReopen(now int64, served bool) {
	p := &g.suspect
	if served || g.region.Accepting() {
		g.region.Ungate()
		g.gated.Store(false)
		p.since = now
		g.mu.Lock()
		g.probes = 0
		g.interrupt()
		g.mu.Unlock()
		g.chores.do(func() { g.log.Info("accepting again") })
		return
	}
	if now-p.probed >= int64(probeEvery) {
		p.probed = now
		g.mu.Lock()
		g.probes = 1
		g.announce()
		g.mu.Unlock()
	}
}
