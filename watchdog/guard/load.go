package guard

import "github.com/seadog/seadog/watchdog"

// judgeLoad tells a process that is overloaded from one that is stuck: in the
// former goroutines wait for processors, in the latter for something else.
func (g *Guard) judgeLoad(s *survey) {
	over := false
	if s.executing > 0 && !g.policy.Omit.Shed {
		l := g.load.Read()
		over = watchdog.Overloaded(l.Runnable, l.Procs, l.Latency)
	}
	if g.overload.Swap(over) != over {
		g.chores.do(func() {
			if over {
				g.log.Warn("overloaded: refusing what is not essential")
			} else {
				g.log.Info("no longer overloaded")
			}
		})
	}
}
