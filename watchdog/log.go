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
	KeyDuration    = "duration"
	KeyError       = "error"
	KeySignal      = "signal"
)

// LabelSlot is the label of goroutines that work for a request; its value is
// the number of the request's slot. Whatever they start inherits it.
const LabelSlot = "slot"
