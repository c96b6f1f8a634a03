package leak

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// why says in one sentence what r means.
func (o Options) why(r loadtest.LeakReport, trend bool, length time.Duration) string {
	could := fmt.Sprintf("a leak of %s or more would have been found", o.format(r.Detectable))
	switch {
	case r.Verdict == loadtest.Leaking:
		return fmt.Sprintf("it grew by %s, quite certainly by more than %s; %s is tolerated",
			o.format(r.Slope), o.format(r.Lower), o.format(o.Tolerance))
	case r.Verdict == loadtest.Inconclusive:
		return fmt.Sprintf("%s after the warm-up are too short to exclude a leak: only one of %s or more would have been found",
			length.Round(time.Second), o.format(r.Detectable))
	case trend && r.Slope <= o.Tolerance:
		return fmt.Sprintf("it grew by %s, which is within the tolerance of %s; %s", o.format(r.Slope), o.format(o.Tolerance), could)
	case trend:
		return fmt.Sprintf("it grew by %s, but it is not certain that this is more than the tolerance of %s; %s",
			o.format(r.Slope), o.format(o.Tolerance), could)
	}
	return fmt.Sprintf("there is no trend; %s", could)
}

func (o Options) tooFew(points []loadtest.Point, windows int) string {
	if len(points) == 0 {
		return "nothing was measured"
	}
	return fmt.Sprintf("of %s only %d of 20 windows after the warm-up have values; at least %d are needed",
		(points[len(points)-1].At - points[0].At).Round(time.Second), windows, leastWindows)
}

// format rounds counts to three digits: these are estimates.
func (o Options) format(perHour float64) string {
	t := loadtest.Threshold{Unit: o.Unit, PerHour: true}
	if o.Unit != loadtest.Bytes {
		perHour, _ = strconv.ParseFloat(strconv.FormatFloat(perHour, 'g', 3, 64), 64)
	}
	return t.Format(perHour)
}
