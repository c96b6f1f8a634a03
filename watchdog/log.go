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
	KeyDelay       = "delay"
	KeyDuration    = "duration"
	KeyError       = "error"
	KeySignal      = "signal"
)
