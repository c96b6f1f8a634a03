package fault

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Describe says in a sentence what a fault does and how long. A fault that does
// not pass [Check] is only named.
func Describe(f loadtest.Fault) string {
	k, ok := kindOf(f.Do.Kind)
	if !ok || Check(f) != nil {
		return fmt.Sprintf("%s %s", f.Do.Kind, f.Do.Target)
	}
	text := k.says(f.Do.Target, k.read(f.Do, func(string, string) {}))
	if f.For == 0 {
		return text
	}
	if strings.Contains(text, ", ") {
		text += ","
	}
	return text + " for " + formatDuration(f.For)
}

func (k kind) says(target string, s settings) string {
	switch k.of {
	case processes:
		return k.saysOfProcesses(target, s)
	case network:
		return k.saysOfNetwork(target, s)
	case disks:
		if leave := s.size("leave"); leave > 0 {
			return fmt.Sprintf("the disk of %s is full but for %s", target, formatSize(float64(leave)))
		}
		return fmt.Sprintf("the disk of %s is full", target)
	case console:
		return "nobody reads the service's console"
	case clients:
		return k.saysOfClients(s)
	}
	return fmt.Sprintf("%s busy with something else, at nice %d", plural(s.count("cores"), "core is", "cores are"), s.count("nice"))
}

func (k kind) saysOfProcesses(target string, s settings) string {
	who, is := targetName(target)
	switch k.name {
	case Stop:
		return who + " " + is + " stopped (SIGSTOP)"
	case Kill:
		return who + " " + is + " killed (SIGKILL)"
	}
	if spare := s.count("spare"); spare > 0 {
		return fmt.Sprintf("%s may open %s", who, plural(spare, "more descriptor", "more descriptors"))
	}
	return who + " may open no more descriptors"
}

// targetName names processes, and says which verb they take.
func targetName(text string) (who, is string) {
	t, err := ParseTarget(text)
	switch {
	case err != nil || text == "":
		return "the target's process", "is"
	case t.PID > 0:
		return "process " + strconv.Itoa(t.PID), "is"
	case t.File != "":
		return "the process of " + t.File, "is"
	case t.All:
		return "every " + t.Pool, "is"
	case t.Index >= 0:
		return fmt.Sprintf("%s %d", t.Pool, t.Index), "is"
	case t.Pool == "master" || t.Pool == "admin":
		return "the " + t.Pool, "is"
	}
	return "a " + t.Pool, "is"
}

func (k kind) saysOfNetwork(target string, s settings) string {
	if k.name == Down {
		return target + " refuses connections"
	}
	what := map[string]string{Downstream: "answers from " + target, Upstream: "requests to " + target, Both: "everything to and from " + target}[s.word("direction")]
	which := ""
	if s.share("share") < 1 {
		which = " on " + formatNumber(s.share("share"), share) + " of the connections"
	}
	switch k.name {
	case Latency:
		late := formatDuration(s.duration("latency"))
		if s.duration("jitter") > 0 {
			late += " ± " + formatDuration(s.duration("jitter"))
		}
		return fmt.Sprintf("%s come %s late%s", what, late, which)
	case Bandwidth:
		return fmt.Sprintf("%s pass at %s%s", what, formatNumber(s.numbers["rate"], flow), which)
	case SlowClose:
		return fmt.Sprintf("%s end %s late%s", what, formatDuration(s.duration("delay")), which)
	case Timeout:
		text := what + " vanish" + which
		if s.duration("after") > 0 {
			text += ", and connections close after " + formatDuration(s.duration("after"))
		}
		return text
	case Reset:
		return fmt.Sprintf("%s meet a reset%s", what, which)
	case Slicer:
		text := fmt.Sprintf("%s come in pieces of %s", what, formatSize(s.numbers["bytes"]))
		if s.size("vary") > 0 {
			text += " ± " + formatSize(s.numbers["vary"])
		}
		if s.duration("delay") > 0 {
			text += ", " + formatDuration(s.duration("delay")) + " apart"
		}
		return text + which
	}
	return fmt.Sprintf("%s end after %s%s", what, formatSize(s.numbers["bytes"]), which)
}

func (k kind) saysOfClients(s settings) string {
	n := s.count("count")
	pace := formatDuration(s.duration("every"))
	switch k.name {
	case SlowBody:
		return plural(n, "client sends", "clients send") + " a body, a byte every " + pace
	case HalfOpen:
		return plural(n, "client connects and sends", "clients connect and send") + " nothing"
	case HeaderFlood:
		return plural(n, "client sends", "clients send") + " headers without end"
	case Abort:
		return plural(n, "client hangs", "clients hang") + " up in the middle of a body"
	case Idle:
		return plural(n, "client keeps", "clients keep") + " an idle connection"
	}
	return plural(n, "client reads", "clients read") + " an answer, a byte every " + pace
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
