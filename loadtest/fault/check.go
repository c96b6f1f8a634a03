package fault

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Problem is one thing that is wrong with a fault.
type Problem struct {
	Field string // the key in the file: "name", "phase", "at", "for", "every", "kind", "target", or an argument
	Text  string
}

func (p Problem) Error() string { return p.Field + " " + p.Text }

// Problems are what is wrong with a fault, in the order of its keys.
type Problems []Problem

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, one := range p {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "; ")
}

// Check says what is wrong with a fault as far as it can be seen without the
// scenario around it (see [Plan]) and the service in front of it. The error is of
// type [Problems].
func Check(f loadtest.Fault) error {
	var found Problems
	problem := func(field, text string) { found = append(found, Problem{field, text}) }
	if f.Name == "" {
		problem("name", "is missing: reports and thresholds tell faults by it")
	}
	if f.At < 0 {
		problem("at", fmt.Sprintf("is %s, before its phase begins", f.At))
	}
	k, ok := kindOf(f.Do.Kind)
	if !ok {
		problem("kind", unknownKind(f.Do.Kind))
		return found
	}
	k.checkTimes(f, problem)
	k.checkTarget(f.Do.Target, problem)
	for _, name := range slices.Sorted(maps.Keys(f.Do.Args)) {
		if _, known := k.arg(name); !known {
			problem(name, "is unknown: "+k.name+" "+k.takes())
		}
	}
	before := len(found)
	s := k.read(f.Do, problem)
	if len(found) == before {
		k.checkTogether(s, problem)
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

func unknownKind(name string) string {
	switch name {
	case "":
		return "is missing: one of " + kindNames()
	case "flood":
		return `is "flood", which is no fault but traffic: push to a repository whose build prints that many lines`
	case "clock":
		return `is "clock", which cannot be had for one process: the wall clock belongs to the whole machine, and nothing here decides by it; stop the master instead, which makes it as late`
	}
	return fmt.Sprintf("is %q, which is unknown: one of %s", name, kindNames())
}

func kindNames() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

// takes lists the arguments of a kind.
func (k kind) takes() string {
	if len(k.args) == 0 {
		return "takes no arguments"
	}
	names := make([]string, len(k.args))
	for i, a := range k.args {
		names[i] = a.name
	}
	return "takes " + strings.Join(names, ", ")
}

func (k kind) checkTimes(f loadtest.Fault, problem func(field, text string)) {
	switch {
	case f.For < 0:
		problem("for", fmt.Sprintf("is %s, less than nothing", f.For))
	case k.instant && f.For > 0:
		problem("for", fmt.Sprintf("is %s, but %s is over at once: leave it out", f.For, k.name))
	case !k.instant && f.For == 0:
		problem("for", "is missing: how long "+k.name+" lasts, like 2s")
	}
	switch {
	case f.Every < 0:
		problem("every", fmt.Sprintf("is %s, less than nothing", f.Every))
	case f.Every > 0 && f.Every <= f.For:
		problem("every", fmt.Sprintf("is %s, but the fault lasts %s: it would begin again before it ended", f.Every, f.For))
	}
}

// checkTogether looks at arguments that must fit each other.
func (k kind) checkTogether(s settings, problem func(field, text string)) {
	if k.name == Latency && s.duration("jitter") > s.duration("latency") {
		problem("jitter", fmt.Sprintf("is %s, more than latency (%s): bytes cannot come before they were sent", s.duration("jitter"), s.duration("latency")))
	}
	if k.name == Slicer && s.size("vary") >= s.size("bytes") {
		problem("vary", "is as much as bytes, or more: pieces need a size")
	}
}

func (k kind) checkTarget(target string, problem func(field, text string)) {
	switch k.of {
	case processes:
		if _, err := ParseTarget(target); err != nil {
			problem("target", err.Error())
		}
	case network:
		if target == "" {
			problem("target", "is missing: the name of a proxy")
		}
	case disks:
		if target == "" {
			problem("target", "is missing: the name of a directory that may be filled")
		}
	default:
		if target != "" {
			problem("target", fmt.Sprintf("is %q, but %s has none: leave it out", target, k.name))
		}
	}
}

// Pools are what the processes of a seadog service are called.
var pools = []string{"worker", "runner", "master", "admin"}

// Target says which processes are meant.
type Target struct {
	Pool  string // "worker", "runner", "master", "admin"; "": not by pool
	Index int    // of the pool, from 0; -1: one of it, by the seed
	All   bool   // of the pool
	PID   int    // 0: not by number
	File  string // that holds the pid; "": none
}

// ParseTarget reads the target of a fault of processes: "worker", "worker:1",
// "all-workers", a number, or a file with a number in it, told by its slash. ""
// is the process that the scenario's target names.
func ParseTarget(text string) (Target, error) {
	if text == "" {
		return Target{Index: -1}, nil
	}
	if pid, err := strconv.Atoi(text); err == nil {
		if pid <= 1 {
			return Target{}, fmt.Errorf("is %s, which is no process that may be disturbed", text)
		}
		return Target{PID: pid, Index: -1}, nil
	}
	if strings.Contains(text, "/") {
		return Target{File: text, Index: -1}, nil
	}
	if name, ok := strings.CutPrefix(text, "all-"); ok && slices.Contains(pools, strings.TrimSuffix(name, "s")) && strings.HasSuffix(name, "s") {
		return Target{Pool: strings.TrimSuffix(name, "s"), Index: -1, All: true}, nil
	}
	name, number, indexed := strings.Cut(text, ":")
	index := -1
	if indexed {
		var err error
		if index, err = strconv.Atoi(number); err != nil || index < 0 {
			return Target{}, fmt.Errorf("is %q, but the place of a %s is a number from 0", text, name)
		}
	}
	if !slices.Contains(pools, name) {
		return Target{}, fmt.Errorf("is %q, which is unknown: worker, runner, master or admin, as worker:0 or all-workers if there are several, a pid, or a pid file with a / in its path", text)
	}
	return Target{Pool: name, Index: index}, nil
}
