package loadtest

import (
	"fmt"
	"time"
)

// Aggregate is how many values become one.
type Aggregate string

const (
	Quantile Aggregate = "p" // Threshold.Q
	Mean     Aggregate = "mean"
	Max      Aggregate = "max"
	Min      Aggregate = "min"
	Count    Aggregate = "count"
	Rate     Aggregate = "rate"    // per second
	Ratio    Aggregate = "ratio"   // of the samples
	Slope    Aggregate = "slope"   // per hour, see package leak
	Delta    Aggregate = "delta"   // last minus first
	Recover  Aggregate = "recover" // from the end of a fault until all windows hold again
)

// Comparison is how a value is held against its limit.
type Comparison string

const (
	Less         Comparison = "<"
	LessEqual    Comparison = "<="
	Greater      Comparison = ">"
	GreaterEqual Comparison = ">="
	Equal        Comparison = "=="
)

// Holds reports whether value keeps to limit.
func (c Comparison) Holds(value, limit float64) bool {
	switch c {
	case Less:
		return value < limit
	case LessEqual:
		return value <= limit
	case Greater:
		return value > limit
	case GreaterEqual:
		return value >= limit
	case Equal:
		return value == limit
	}
	return false
}

// Unit is what a limit is written in. Values are always in the base unit:
// seconds, bytes, shares of one, per second, per hour.
type Unit string

const (
	NoUnit    Unit = ""
	Seconds   Unit = "s"
	Bytes     Unit = "B"
	Share     Unit = "%"
	PerSecond Unit = "/s"
)

// Metric is what is measured. Metrics of the server have their own names.
type Metric string

const (
	MetricResponse  Metric = "response"
	MetricService   Metric = "service"
	MetricSelfLag   Metric = "self_lag"
	MetricSlotWait  Metric = "slot_wait"
	MetricTTFB      Metric = "ttfb"
	MetricGap       Metric = "gap" // time with something outstanding and no completion
	MetricFailed    Metric = "failed"
	MetricDropped   Metric = "dropped"
	MetricSent      Metric = "sent"
	MetricInflight  Metric = "inflight"
	MetricLost      Metric = "lost"           // accepted, and not to be found
	MetricDuplicate Metric = "duplicate_jobs" // one id, two jobs
	MetricUnknown   Metric = "unknown"        // no answer, and present
	MetricRefused   Metric = "refused_but_processed"
	MetricHangs     Metric = "hangs"

	MetricRSS        Metric = "rss"
	MetricHeapLive   Metric = "heap_live"
	MetricGoroutines Metric = "goroutines"
	MetricFDs        Metric = "fds"
	MetricThreads    Metric = "threads"
)

// Threshold is one thing that must hold, parsed.
type Threshold struct {
	Text      string // as it is written
	Aggregate Aggregate
	Q         float64 // of Quantile, 0 … 1
	Server    bool    // Metric is a series of the service
	Metric    Metric
	Labels    []Label
	Compare   Comparison
	Limit     float64 // in the base unit
	Unit      Unit
	PerHour   bool // of Slope

	Over    time.Duration // each window of that length must hold; 0: the whole
	Phase   string        // only samples due in it; "": all judged phases
	InFault string        // only while it lasts
	Outside bool          // only while no fault lasts
	Fault   string        // of Recover
	Abort   int           // so many failing windows in a row end the run; 0: never
}

// Label narrows a threshold to what carries it.
type Label struct{ Name, Value string }

// Label returns the value of the label of that name.
func (t *Threshold) Label(name string) (string, bool) {
	for _, l := range t.Labels {
		if l.Name == name {
			return l.Value, true
		}
	}
	return "", false
}

// Needs returns how many samples a quantile needs before it means anything:
// ten beyond it. Counts, rates and differences need none, all others one.
func (t *Threshold) Needs() uint64 {
	switch t.Aggregate {
	case Quantile:
		if t.Q >= 1 {
			return 1
		}
		return uint64(10/(1-t.Q) + 0.5)
	case Count, Delta, Rate:
		return 0
	}
	return 1
}

// Format writes a value of this threshold's metric for people.
func (t *Threshold) Format(value float64) string {
	text := ""
	switch t.Unit {
	case Seconds:
		text = time.Duration(value * float64(time.Second)).Round(time.Microsecond).String()
	case Bytes:
		text = formatBytes(value)
	case Share:
		text = fmt.Sprintf("%.4g%%", value*100)
	case PerSecond:
		text = fmt.Sprintf("%.5g/s", value)
	default:
		text = fmt.Sprintf("%.6g", value)
	}
	if t.PerHour {
		text += "/h"
	}
	return text
}

func formatBytes(v float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if v >= u.size || v <= -u.size {
			return fmt.Sprintf("%.4g%s", v/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.4gB", v)
}
