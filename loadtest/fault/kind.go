package fault

import "time"

// The kinds of faults: what [loadtest.Action.Kind] may be.
const (
	Stop   = "stop"   // SIGSTOP, and SIGCONT at the end
	Kill   = "kill"   // SIGKILL; whoever watches the process starts another
	NoFile = "nofile" // no more descriptors than there are, and some to spare

	Latency   = "latency"
	Bandwidth = "bandwidth"
	SlowClose = "slow_close"
	Timeout   = "timeout" // a black hole
	Reset     = "reset"
	Slicer    = "slicer"
	LimitData = "limit_data"
	Down      = "down" // connections are refused

	Full = "full" // a disk

	NobodyReads = "nobody-reads" // the service's console

	SlowBody    = "slow_body"
	HalfOpen    = "half_open"
	HeaderFlood = "header_flood"
	Abort       = "abort"
	Idle        = "idle"
	SlowRead    = "slow_read"

	CPU = "cpu" // time of the processors, taken by something else
)

// family is who carries a kind out.
type family int

const (
	processes family = iota
	network
	disks
	console
	clients
	machine
)

// kind is what is known about a kind without doing it.
type kind struct {
	name    string
	of      family
	instant bool // over at once: it has no duration
	alone   bool // not twice at a time on the same target
	args    []arg
}

// arg is one argument of a kind.
type arg struct {
	name     string
	format   format
	required bool
	fallback string // as it would be written
	words    []string
	min, max float64 // of numbers, in base units; max 0: no limit
}

// format is how an argument is written.
type format int

const (
	duration format = iota // 200ms
	size                   // 64KiB
	flow                   // 64KiB/s
	share                  // 20%
	count                  // 50
	word
	path // /hooks/demo
)

// Arguments that many kinds have.
var (
	shareArg     = arg{name: "share", format: share, fallback: "100%", max: 1}
	directionArg = arg{name: "direction", format: word, fallback: Downstream, words: []string{Downstream, Upstream, Both}}
	countArg     = arg{name: "count", format: count, fallback: "10", min: 1, max: mostClients}
	pathArg      = arg{name: "path", format: path, fallback: "/"}
	methodArg    = arg{name: "method", format: word, fallback: "POST", words: []string{"POST", "PUT", "PATCH"}}
	everyArg     = arg{name: "every", format: duration, fallback: "1s", min: float64(time.Millisecond), max: float64(time.Hour)}
)

// mostClients is how many bad clients a fault may have: each holds a
// descriptor, a goroutine and a few KiB here.
const mostClients = 5000

const (
	longest = float64(time.Hour)
	mib     = 1 << 20
	gib     = 1 << 30
)

// kinds are all there are.
var kinds = []kind{
	{name: Stop, of: processes, alone: true},
	{name: Kill, of: processes, instant: true},
	{name: NoFile, of: processes, alone: true, args: []arg{{name: "spare", format: count, fallback: "0", max: 1 << 20}}},

	{name: Latency, of: network, args: []arg{
		{name: "latency", format: duration, required: true, max: longest},
		{name: "jitter", format: duration, fallback: "0s", max: longest},
		shareArg, directionArg,
	}},
	{name: Bandwidth, of: network, args: []arg{{name: "rate", format: flow, required: true, min: 1, max: gib}, shareArg, directionArg}},
	{name: SlowClose, of: network, args: []arg{{name: "delay", format: duration, required: true, max: longest}, shareArg, directionArg}},
	{name: Timeout, of: network, args: []arg{{name: "after", format: duration, fallback: "0s", max: longest}, shareArg, directionArg}},
	{name: Reset, of: network, args: []arg{shareArg, directionArg}},
	{name: Slicer, of: network, args: []arg{
		{name: "bytes", format: size, required: true, min: 1, max: mib},
		{name: "vary", format: size, fallback: "0B", max: mib},
		{name: "delay", format: duration, fallback: "0s", max: longest},
		shareArg, directionArg,
	}},
	{name: LimitData, of: network, args: []arg{{name: "bytes", format: size, required: true, max: 1 << 40}, shareArg, directionArg}},
	{name: Down, of: network, alone: true},

	{name: Full, of: disks, alone: true, args: []arg{{name: "leave", format: size, fallback: "0B", max: gib}}},

	{name: NobodyReads, of: console, alone: true},

	{name: SlowBody, of: clients, args: []arg{countArg, methodArg, pathArg, bytes("1MiB"), everyArg}},
	{name: HalfOpen, of: clients, args: []arg{countArg}},
	{name: HeaderFlood, of: clients, args: []arg{countArg, pathArg, bytes("1MiB"), every("10ms")}},
	{name: Abort, of: clients, args: []arg{countArg, methodArg, pathArg, bytes("64KiB"), everyArg}},
	{name: Idle, of: clients, args: []arg{countArg, pathArg}},
	{name: SlowRead, of: clients, args: []arg{countArg, pathArg, everyArg}},

	{name: CPU, of: machine, args: []arg{
		{name: "cores", format: count, fallback: "1", min: 1, max: 256},
		{name: "nice", format: count, fallback: "0", max: 19},
	}},
}

func bytes(fallback string) arg {
	return arg{name: "bytes", format: size, fallback: fallback, min: 2, max: gib}
}

func every(fallback string) arg {
	a := everyArg
	a.fallback = fallback
	return a
}

// kindOf returns the kind of that name.
func kindOf(name string) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// arg returns the argument of that name.
func (k kind) arg(name string) (arg, bool) {
	for _, a := range k.args {
		if a.name == name {
			return a, true
		}
	}
	return arg{}, false
}
