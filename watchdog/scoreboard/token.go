package scoreboard

// Token decides who answers a client: the handler, the worker's watchdog or
// the master. Whoever takes it from [Running] with a compare-and-swap has won,
// and nobody else may write a byte. Its upper bits are a generation, which
// grows with every request and every connection of the slot, so that a
// decision about one request can never hit the next.
type Token uint64

// Phase is the state that a [Token] names.
type Phase uint8

// Phases of a slot.
const (
	Empty     Phase = iota // no connection
	Idle                   // a connection on which nothing of a request was read
	Reading                // a request arrives; how long that may take is the server's business
	Running                // the handler runs, and nobody has answered
	Interim                // a 1xx answer is being written; back to Running in a moment
	Answering              // the handler's answer is being written, or a stream goes on
	Killed                 // the worker's watchdog has answered; the handler may still run
	Seized                 // the master has taken the connection
	Hijacked               // the connection is no HTTP any more
)

var phaseNames = [...]string{"empty", "idle", "reading", "running", "interim", "answering", "killed", "seized", "hijacked"}

func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "unknown"
}

const phaseBits = 8

// Phase returns the state.
func (t Token) Phase() Phase { return Phase(t & (1<<phaseBits - 1)) }

// Generation counts the requests and connections of the slot.
func (t Token) Generation() uint64 { return uint64(t) >> phaseBits }

// To returns t in another phase of the same request.
func (t Token) To(p Phase) Token { return t&^(1<<phaseBits-1) | Token(p) }

// Next returns the token of the next request.
func (t Token) Next(p Phase) Token { return Token((t.Generation()+1)<<phaseBits) | Token(p) }

// Busy reports whether a request is being worked on, answered or not.
func (t Token) Busy() bool {
	switch t.Phase() {
	case Running, Interim, Answering, Killed, Seized:
		return true
	}
	return false
}
