package deployer

// Keys of structured log lines. A key means the same in every process.
const (
	KeyProject    = "project"
	KeyHook       = "hook"
	KeyDelivery   = "delivery"
	KeyDeployment = "deployment"
	KeyStep       = "step"
	KeyStatus     = "status"
	KeyReason     = "reason"
	KeyRequest    = "request"
	KeyRoute      = "route"
	KeyError      = "error"
	KeyDuration   = "duration"
)
