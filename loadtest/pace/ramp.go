package pace

import "time"

// ramp is a rate that changes linearly over the phase.
type ramp struct {
	from, to float64 // per second
	length   time.Duration
}

func checkRamp(o order) error {
	err := first(o.rate("from", o.From, true), o.rate("to", o.To, true))
	if err == nil && o.From == 0 && o.To == 0 {
		err = &Problem{"to", "from and to are both 0", "give one of them a rate; a phase without load says load: none"}
	}
	return err
}

func newRamp(o order) Schedule {
	return newCurve(ramp{o.From * o.scale, o.To * o.scale, o.length}, o.length)
}

// hits is the area of a trapezium. Of a rate that falls, it is what remains of
// the whole: so every operation keeps the order of its operands, and rounding
// cannot make the sum fall where the rate comes close to 0.
func (r ramp) hits(t time.Duration) float64 {
	if r.from <= r.to {
		return trapezium(r.from, r.to, t, r.length)
	}
	return trapezium(r.to, r.from, r.length, r.length) - trapezium(r.to, r.from, r.length-t, r.length)
}

// trapezium is the area below a line that rises from low to high over length, up to t.
func trapezium(low, high float64, t, length time.Duration) float64 {
	return t.Seconds() * (low + (high-low)*(float64(t)/(2*float64(length))))
}

func (r ramp) peak(length time.Duration) float64 {
	return max(r.from, r.from+(r.to-r.from)*(float64(length)/float64(r.length)))
}
