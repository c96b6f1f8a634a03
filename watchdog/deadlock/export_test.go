package deadlock

import "time"

// SetLimits makes stacks be taken more often, and storing count as hanging
// sooner, than anybody wants outside of tests.
func (d *Detector) SetLimits(dumpsApart, recordWithin time.Duration) {
	d.limits.apart, d.late = dumpsApart, recordWithin
}
