package deployer

// Owner identifies one process, unmistakably also after its pid was used again.
type Owner struct {
	Node    string `json:"node"`    // host name, or what the configuration calls this machine
	Boot    string `json:"boot"`    // /proc/sys/kernel/random/boot_id
	PID     int    `json:"pid"`     // in the pid namespace of the service
	Started uint64 `json:"started"` // start time of the process in clock ticks since boot (proc(5), field 22 of stat)
}

// Liveness is what one process can know about another.
type Liveness int

const (
	Unknown Liveness = iota // on another node, or not to be told: only the lease decides
	Alive
	Dead
)
