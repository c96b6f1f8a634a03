package health

import "time"

// State is what the engine calls the state of a container.
type State string

const (
	Created    State = "created"
	Running    State = "running"
	Paused     State = "paused"
	Restarting State = "restarting"
	Removing   State = "removing"
	Exited     State = "exited"
	Dead       State = "dead"
)

// Check is the state of a container's own (Docker) health check.
type Check string

const (
	CheckNone      Check = "" // the container has no health check
	CheckStarting  Check = "starting"
	CheckHealthy   Check = "healthy"
	CheckUnhealthy Check = "unhealthy"
)

// Observation is what the engine says about one container of a Compose project.
type Observation struct {
	Service  string
	ID       string
	Name     string
	Number   int    // of the container within its service, from 1
	Image    string // sha256:… of the image itself
	Ref      string // the name by which the image was asked for
	State    State
	Check    Check
	CheckLog string // last output of the health check, shortened
	Restart  string // restart policy: no, always, unless-stopped or on-failure
	Restarts int    // since the container was created
	ExitCode int    // of the last exit
	OOM      bool   // the kernel killed it for its memory
	Error    string // why the engine could not start it
	Started  time.Time
	Finished time.Time
}

// Expect is one service that a deployment must bring up.
type Expect struct {
	Service  string
	Replicas int // containers; a service with 0 is not expected
}
