package watchdog

// State is where one incarnation of a worker is in its life. It only moves forward.
type State uint32

const (
	Absent   State = iota // no process: not started yet, or waiting for its restart
	Starting              // executed, has not reported ready
	Ready                 // does its work
	Draining              // told to take no new work and to finish what it has
	Stopping              // told to give up what it is doing
	Killed                // sent SIGKILL, not reaped yet
)

func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case Draining:
		return "draining"
	case Stopping:
		return "stopping"
	case Killed:
		return "killed"
	}
	return "unknown"
}
