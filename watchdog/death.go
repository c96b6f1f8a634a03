package watchdog

import (
	"fmt"
	"time"
)

// Death is what is written down about the end of one worker process. PID,
// Started and Boot together identify it unmistakably, also after its pid was
// used again.
type Death struct {
	Seq         uint64    `json:"seq"`  // ascending within one journal; set by it
	Time        time.Time `json:"time"` // when it was reaped
	Pool        string    `json:"pool"`
	Index       int       `json:"index"`
	Incarnation uint64    `json:"incarnation"`

	PID       int       `json:"pid,omitempty"`     // 0 if it could not be started
	Started   uint64    `json:"started,omitempty"` // clock ticks since boot (proc(5), field 22 of stat)
	Boot      string    `json:"boot,omitempty"`    // /proc/sys/kernel/random/boot_id
	StartedAt time.Time `json:"started_at"`
	UptimeMS  int64     `json:"uptime_ms"` // by the monotonic clock

	ExitCode int    `json:"exit_code"`         // -1 if it ended by a signal
	Signal   string `json:"signal,omitempty"`  // as in SIGKILL
	State    string `json:"state"`             // the [State] that it died in
	Expected bool   `json:"expected"`          // it had been told to go
	Message  string `json:"message,omitempty"` // its own last words
	Verdict  string `json:"verdict"`           // one sentence
}

// ID returns the place that the dead process filled.
func (d Death) ID() ID { return ID{Pool: d.Pool, Index: d.Index} }

// Uptime returns how long the process lived.
func (d Death) Uptime() time.Duration { return time.Duration(d.UptimeMS) * time.Millisecond }

// Status returns the exit status in words, as in "exit status 2" or "SIGSEGV".
func (d Death) Status() string {
	if d.Signal != "" {
		return d.Signal
	}
	return fmt.Sprintf("exit status %d", d.ExitCode)
}
