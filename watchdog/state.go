package watchdog

// State is where one incarnation of a worker is in its life. It only moves forward.
type State uint32

const (
	Absent      State = iota // no process: not started yet, or waiting for its restart
	Starting                 // executed, has not reported ready
	Spare                    // ready, accepts nothing until it is promoted
	Ready                    // does its work
	Quarantined              // to be replaced because something in it is stuck; works on until the replacement accepts
	Draining                 // told to take no new work and to finish what it has
	Stopping                 // told to give up what it is doing
	Dumping                  // sent SIGQUIT, writes the stacks of its goroutines
	Killed                   // sent SIGKILL, not reaped yet
)

func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Starting:
		return "starting"
	case Spare:
		return "spare"
	case Ready:
		return "ready"
	case Quarantined:
		return "quarantined"
	case Draining:
		return "draining"
	case Stopping:
		return "stopping"
	case Dumping:
		return "dumping"
	case Killed:
		return "killed"
	}
	return "unknown"
}

// Serves reports whether a worker in this state is expected to beat and to
// answer what it accepted.
func (s State) Serves() bool { return s >= Spare && s <= Stopping }
