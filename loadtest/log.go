package loadtest

// Keys of log lines, so that lines of different packages can be found together.
const (
	KeyScenario = "scenario"
	KeyRun      = "run"
	KeyTarget   = "target"
	KeyLength   = "length"
	KeyVerdict  = "verdict"
	KeyError    = "error"

	KeySent     = "sent"    // requests
	KeyDropped  = "dropped" // requests that were due and never sent
	KeyRate     = "rate"    // per second
	KeyAchieved = "achieved"
	KeyHeld     = "held" // whether the service held a rate
	KeyLag      = "lag"
	KeyOK       = "ok"

	KeyFault   = "fault"
	KeyAction  = "action" // what a fault does
	KeyEffects = "effects"
	KeyProxy   = "proxy"
	KeyLimit   = "limit"

	KeyRule   = "rule"   // by which a hang was found
	KeyText   = "text"   // what was found
	KeySource = "source" // of what is watched
)
