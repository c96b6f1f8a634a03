package watchdog

// Keys of structured log lines. A key means the same in every process.
const (
	KeyWorker      = "worker" // pool/index
	KeyPool        = "pool"
	KeyIncarnation = "incarnation"
	KeyPID         = "pid"
	KeyState       = "state"
	KeyVerdict     = "verdict"
	KeyReason      = "reason" // a [Reason]
	KeyIncident    = "incident"
	KeyRequest     = "request" // its id
	KeyRoute       = "route"
	KeyDelay       = "delay"
	KeyCeiling     = "ceiling" // of requests at work
	KeyDuration    = "duration"
	KeyError       = "error"
	KeySignal      = "signal"

	KeyPlace      = "place" // in a program, where requests wait
	KeyWorkers    = "workers"
	KeyProtocol   = "protocol"
	KeyExecutable = "executable" // the protocol of the one on disk
	KeyRequests   = "requests"   // how many
	KeyLock       = "lock"
	KeyHolder     = "holder"
	KeyWaiters    = "waiters" // how many
	KeySlot       = "slot"
	KeyAge        = "age"
	KeyOutcome    = "outcome"
)

// LabelSlot is the label of goroutines that work for a request; its value is
// the number of the request's slot. Whatever they start inherits it.
const LabelSlot = "slot"
