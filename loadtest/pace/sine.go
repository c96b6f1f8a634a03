package pace

import (
	"fmt"
	"math"
	"time"
)

// sine is a rate that swings around a mean:
//
//	mean + amplitude      ⟋⟍              ⟋⟍
//	mean              ⟋        ⟍      ⟋        ⟍
//	mean − amplitude              ⟍⟋              ⟍⟋
//	                  0     ¼   ½    ¾    1  period
//
// Its integral is reckoned from the trough, where the rate may be 0: there the
// usual difference of cosines is all rounding, and would count hits that come
// and go.
type sine struct {
	mean, amplitude float64 // per second
	period          time.Duration
	start           float64 // of the phase, in seconds from the nearest trough: −½ … ½ period
}

func checkSine(o order) error {
	err := first(o.rate("mean", o.Mean, false), o.rate("amplitude", o.Amplitude, false), within("period", o.Period, time.Second, 24*time.Hour))
	switch {
	case err != nil:
		return err
	case o.Amplitude > o.Mean:
		return &Problem{"amplitude", fmt.Sprintf("%g/s around %g/s would be a rate below 0", o.Amplitude, o.Mean), "write at most the mean"}
	case (o.Mean+o.Amplitude)*max(o.scale, 1) > MaxRate:
		return &Problem{"amplitude", "the crest is more than can be planned", "lower mean, amplitude or scale; the crest may be 1000000/s"}
	case !(o.Shift >= 0 && o.Shift <= 1):
		return &Problem{"shift", fmt.Sprintf("%v is no part of a period", o.Shift), "write a number from 0 to 1; 0.25 begins at the crest"}
	}
	return nil
}

func newSine(o order) Schedule {
	fraction := o.Shift - 0.75
	s := sine{mean: o.Mean * o.scale, amplitude: o.Amplitude * o.scale, period: o.Period}
	s.start = (fraction - math.Round(fraction)) * o.Period.Seconds()
	return newCurve(s, o.length)
}

func (s sine) hits(t time.Duration) float64 {
	whole, period := t/s.period, s.period.Seconds()
	troughs := float64(whole) // so many periods, from trough to trough
	y := s.start + (t % s.period).Seconds()
	if y >= period/2 {
		y -= period
		troughs++
	}
	return troughs*(s.mean*period) + (s.fromTrough(y) - s.fromTrough(s.start))
}

// fromTrough is the area between a trough and y seconds after it, negative
// before it: (mean − amplitude)·y + amplitude·(y − sin(ωy)/ω).
func (s sine) fromTrough(y float64) float64 {
	omega := 2 * math.Pi / s.period.Seconds()
	return (s.mean-s.amplitude)*y + s.amplitude/omega*lag(omega*y)
}

// lag is z − sin z. Where they are close, the series does not lose the difference.
func lag(z float64) float64 {
	if math.Abs(z) > 0.5 {
		return z - math.Sin(z)
	}
	q := z * z
	return z * q / 6 * (1 - q/20*(1-q/42*(1-q/72*(1-q/110*(1-q/156)))))
}

// peak is the crest if there is one within length, else the higher end.
func (s sine) peak(length time.Duration) float64 {
	half := s.period.Seconds() / 2
	crest := half - s.start // when the first one is
	if crest <= length.Seconds() {
		return s.mean + s.amplitude
	}
	return max(s.rate(s.start), s.rate(s.start+length.Seconds()))
}

func (s sine) rate(y float64) float64 {
	return s.mean - s.amplitude*math.Cos(2*math.Pi*y/s.period.Seconds())
}
