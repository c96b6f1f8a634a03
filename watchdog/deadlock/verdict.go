package deadlock

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/watchdog/lock"
)

// verdict says in one sentence or two what is wrong: what is proven first,
// then what is likely, then what is known anyway.
func (d *Detector) verdict(q *inquiry) string {
	earlier := ""
	if q.earlier != "" {
		earlier = ", as incident " + q.earlier + " says"
	}
	switch {
	case len(q.cycles) > 0:
		return proof(q)
	case q.computes:
		return given(q) + " and did not end. A thread computes: stacks were not taken, they would have stopped the process."
	case q.findings.locked != "":
		return q.findings.locked + "."
	case q.findings.doing != "":
		return q.findings.doing + earlier + "."
	case d.over(q):
		return given(q) + " and ended then."
	case q.earlier != "":
		return given(q) + ". Stacks were taken shortly before, for incident " + q.earlier + "."
	}
	return given(q) + " and did not end."
}

// proof tells the first cycle that lasts; if none does, the first.
func proof(q *inquiry) string {
	told := q.cycles[0]
	for _, c := range q.cycles {
		if told.Ending && !c.Ending {
			told = c
		}
	}
	begin := "Deadlock: "
	if told.Ending {
		begin = "Deadlock, until " + ender(q, told) + ": "
	}
	more := ""
	if n := len(q.cycles) - 1; n > 0 {
		more = fmt.Sprintf(" There is more than this one: %d.", n+1)
	}
	return begin + told.String() + "." + more
}

// ender says what dissolved a cycle.
func ender(q *inquiry, c lock.Cycle) string {
	for _, s := range c.Steps {
		for _, k := range q.kills {
			if k.Request != "" && k.Request == s.Holder.Request && !q.ungiven {
				return "request " + k.Request + " was given up"
			}
		}
	}
	return "somebody in it was given up"
}

// given says which requests were given up, and when.
func given(q *inquiry) string {
	if q.ungiven || len(q.kills) == 0 {
		return "Somebody waits for a lock for long"
	}
	if n := len(q.kills) + q.more; n > 1 {
		longest := time.Duration(0)
		for _, k := range q.kills {
			longest = max(longest, k.Age)
		}
		return fmt.Sprintf("%d requests were given up after up to %s", n, seconds(longest))
	}
	return fmt.Sprintf("%s was given up after %s", capital(nameOf(q.kills[0])), seconds(q.kills[0].Age))
}
