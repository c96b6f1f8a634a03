package guard

import (
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// judgeLoad decides how many requests may begin until the next pass.
func (g *Guard) judgeLoad(s *survey) {
	if g.policy.Omit.Shed || s.executing == 0 && !g.bounded.Load() {
		return
	}
	served, shed := g.region.Served(), g.region.Counted(scoreboard.Shed)
	ended, refused := int(served-g.served), int(shed-g.shed)
	g.served, g.shed = served, shed
	begin := g.admission.look(g.load.Read(), s.executing, max(0, ended-refused), refused)
	over := begin < unbounded
	g.room.Store(int64(begin))
	if g.bounded.Swap(over) != over {
		ceiling := g.admission.ceiling
		g.chores.do(func() {
			if over {
				g.log.Warn("overloaded: refusing what is not essential", watchdog.KeyCeiling, ceiling)
			} else {
				g.log.Info("no longer overloaded")
			}
		})
	}
}

// admits reports whether one more request may begin.
func (g *Guard) admits() bool { return !g.bounded.Load() || g.room.Add(-1) >= 0 }
