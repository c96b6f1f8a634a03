package loadtest

import "time"

// SchemaVersion is the version of [Report]. A field may be added under the same
// version; anything else needs a new one.
const SchemaVersion = 1

// Report is everything that is known about a run. It is what report.json holds;
// all other reports are made from it. Durations are nanoseconds (…_ns), times
// count from the start of the run, values of thresholds are in base units.
type Report struct {
	Schema     int               `json:"schema_version"`
	Verdict    Verdict           `json:"verdict"`
	Code       int               `json:"exit_code"`
	Reasons    []Reason          `json:"reasons"` // the deciding one first
	Identity   Identity          `json:"identity"`
	Phases     []PhaseReport     `json:"phases"`
	Thresholds []ThresholdResult `json:"thresholds"`
	Traffic    []TrafficReport   `json:"traffic"`
	Series     []Row             `json:"series"` // a row a second, of several in long runs
	Server     []ServerSeries    `json:"server,omitempty"`
	Generator  GeneratorReport   `json:"generator"`
	Faults     []FaultReport     `json:"faults,omitempty"`
	Hangs      []HangReport      `json:"hangs,omitempty"`
	Leaks      []LeakReport      `json:"leaks,omitempty"`
	Ledger     *LedgerReport     `json:"ledger,omitempty"`
	Errors     []ErrorClass      `json:"errors,omitempty"` // at most 50, then "other"
	Baseline   *BaselineReport   `json:"baseline,omitempty"`
	Runs       []RunReport       `json:"runs,omitempty"` // of a repeated scenario, all of them
	Capacity   *CapacityReport   `json:"capacity,omitempty"`
	Notes      []string          `json:"notes,omitempty"` // what a reader should know, e.g. that INCONCLUSIVE was allowed
}

// Identity says what ran, where and against what.
type Identity struct {
	Run         string        `json:"run"`
	Scenario    string        `json:"scenario"`
	Description string        `json:"description,omitempty"`
	Digest      string        `json:"scenario_sha256"`
	Seed        uint64        `json:"seed"`
	Target      string        `json:"target"`
	TargetBuild string        `json:"target_build,omitempty"`
	Started     time.Time     `json:"started"`
	Elapsed     time.Duration `json:"elapsed_ns"`
	Version     string        `json:"version"`
	Go          string        `json:"go"`
	Kernel      string        `json:"kernel"`
	CPU         string        `json:"cpu"`
	CPUs        int           `json:"cpus"`
	Procs       int           `json:"gomaxprocs"`
	Descriptors uint64        `json:"descriptor_limit"`
}

// PhaseReport is a phase as it was.
type PhaseReport struct {
	Name   string        `json:"name"`
	Begins time.Duration `json:"begins_ns"`
	For    time.Duration `json:"for_ns"`
	Judged bool          `json:"judged"`
	Scale  float64       `json:"scale"`
}

// ThresholdResult is what became of a threshold.
type ThresholdResult struct {
	Text    string        `json:"text"`
	Verdict Verdict       `json:"verdict"` // Pass, SLO, Leaking, Correctness, Inconclusive …
	Value   float64       `json:"value"`   // the whole's, or the worst window's
	Known   bool          `json:"known"`   // false: there was nothing to take a value of
	Limit   float64       `json:"limit"`
	Shown   string        `json:"shown"`  // value, for people
	Margin  float64       `json:"margin"` // 1 - value/limit, negative beyond it; 0 if the limit is 0; of a slope by its lower bound
	N       uint64        `json:"n"`
	Needs   uint64        `json:"needs,omitempty"`
	Windows int           `json:"windows,omitempty"`
	Failing int           `json:"failing,omitempty"`
	Worst   time.Duration `json:"worst_at_ns,omitempty"` // when the worst window began
	Why     string        `json:"why,omitempty"`
}

// TrafficReport adds up one kind of request: counts over the whole run,
// percentiles over the judged phases, as thresholds see them.
type TrafficReport struct {
	Name     string            `json:"name"`
	Planned  uint64            `json:"planned"`
	Sent     uint64            `json:"sent"`
	Done     uint64            `json:"done"` // answered, as expected or not
	Outcomes map[string]uint64 `json:"outcomes"`
	Statuses map[string]uint64 `json:"statuses"`
	Variants map[string]uint64 `json:"variants"` // plain, replay, and each negative by name
	BytesOut int64             `json:"bytes_out"`
	BytesIn  int64             `json:"bytes_in"`
	Response Percentiles       `json:"response"`
	Service  Percentiles       `json:"service"`
	TTFB     Percentiles       `json:"ttfb"`
	SelfLag  Percentiles       `json:"self_lag"`
	SlotWait Percentiles       `json:"slot_wait"`
}

// Percentiles of durations, in nanoseconds. Those for which there were too few
// samples are absent.
type Percentiles struct {
	N      uint64        `json:"n"`
	Min    time.Duration `json:"min_ns"`
	Mean   time.Duration `json:"mean_ns"`
	Max    time.Duration `json:"max_ns"`
	Points []Percentile  `json:"points"`
	HDR    string        `json:"hdr,omitempty"` // compressed V2 histogram in base64, microseconds: what merges exactly
}

// Percentile is one point of the curve.
type Percentile struct {
	Q     float64       `json:"q"` // 0 … 1
	Value time.Duration `json:"value_ns"`
}

// At returns the value at q, if it is there.
func (p Percentiles) At(q float64) (time.Duration, bool) {
	for _, point := range p.Points {
		if point.Q == q {
			return point.Value, true
		}
	}
	return 0, false
}

// Row is one stretch of the time series, over all traffic that is judged. Done
// and Failed are of requests that ended in it, everything else of those that were
// due in it. A row of several seconds shows the percentiles of its worst second:
// an hour's rows then compare with a minute's, and hide nothing.
type Row struct {
	At       time.Duration `json:"at_ns"`
	For      time.Duration `json:"for_ns"`
	Planned  uint64        `json:"planned"`
	Sent     uint64        `json:"sent"`
	Done     uint64        `json:"done"` // answered, as expected or not
	Failed   uint64        `json:"failed"`
	Dropped  uint64        `json:"dropped"`
	Inflight int           `json:"inflight"` // the most
	P50      time.Duration `json:"p50_ns"`   // of response
	P99      time.Duration `json:"p99_ns"`
	Max      time.Duration `json:"max_ns"`
	Service  time.Duration `json:"service_p99_ns"`
	SelfLag  time.Duration `json:"self_lag_p99_ns"`
	SlotWait time.Duration `json:"slot_wait_p99_ns"`
	Gap      time.Duration `json:"gap_ns"` // the longest that ended, or went on, in it
}

// ServerSeries is one thing that was watched on the service.
type ServerSeries struct {
	Name   string  `json:"name"` // "rss", "goroutines", or the metric with its labels
	Unit   Unit    `json:"unit"`
	Points []Point `json:"points"`
}

// Point is one value at one time.
type Point struct {
	At    time.Duration `json:"at_ns"`
	Value float64       `json:"value"`
}

// GeneratorReport says whether the generator could be believed.
type GeneratorReport struct {
	OK          bool          `json:"ok"`
	Rules       []Rule        `json:"rules"` // G1 … G8
	CPU         float64       `json:"cpu"`   // cores, on average
	PeakCPU     float64       `json:"peak_cpu"`
	RSS         uint64        `json:"rss_bytes"` // at its highest
	Calibration *Calibration  `json:"calibration,omitempty"`
	WorstSend   float64       `json:"worst_send_rate"` // sends in the worst 100 ms, per second
	Stop        time.Duration `json:"stop_ns,omitempty"`
}

// Rule is one of the rules that make a run [Invalid].
type Rule struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Value string `json:"value"`
	Limit string `json:"limit"`
}

// Calibration is what this machine could do against a server that does nothing.
type Calibration struct {
	Rate     float64       `json:"rate"`     // per second, asked for
	Achieved float64       `json:"achieved"` // per second
	Lag      time.Duration `json:"self_lag_p99_ns"`
	Can      float64       `json:"can,omitempty"` // the rate that this machine can do, if it could not do Rate
	OK       bool          `json:"ok"`
}

// FaultReport is a fault as it was, one for each time it came.
type FaultReport struct {
	Name    string            `json:"name"`
	What    string            `json:"what"`
	Begin   time.Duration     `json:"begin_ns"`
	End     time.Duration     `json:"end_ns"`
	Error   string            `json:"error,omitempty"`   // it could not be done, or undone
	Effects map[string]uint64 `json:"effects,omitempty"` // what it met: processes that were gone, connections cut, answers by status …
	Recover *time.Duration    `json:"recover_ns,omitempty"`
}

// HangReport is something that was stuck, and what was found out about it at once.
type HangReport struct {
	Rule     string        `json:"rule"` // H1 … H5
	Text     string        `json:"text"`
	At       time.Duration `json:"at_ns"`
	For      time.Duration `json:"for_ns,omitempty"`
	Deadlock string        `json:"deadlock,omitempty"` // what the stacks say
	Evidence []string      `json:"evidence,omitempty"` // files in the report's directory
}

// LeakReport is one series and whether it grows.
type LeakReport struct {
	Series     string   `json:"series"`
	Unit       Unit     `json:"unit"`
	Verdict    Verdict  `json:"verdict"`    // Pass, Leaking, Inconclusive
	Slope      float64  `json:"slope_hour"` // Theil-Sen
	Lower      float64  `json:"lower_hour"` // of the 95 % interval
	P          float64  `json:"p"`          // Mann-Kendall, one-sided
	Tolerance  float64  `json:"tolerance_hour"`
	Detectable float64  `json:"detectable_hour"` // the smallest leak that this run could have found
	Windows    int      `json:"windows"`
	Idle       *float64 `json:"idle_growth,omitempty"` // of the idle service, from before the load to after it, for a million requests; nil: unknown
	Why        string   `json:"why"`
}

// LedgerReport balances what was accepted against what the service knows.
type LedgerReport struct {
	Mode      string   `json:"mode"` // "deliveries", "ids", "counters"
	Sent      uint64   `json:"sent"`
	Accepted  uint64   `json:"accepted"`
	Rejected  uint64   `json:"rejected"`
	Unknown   uint64   `json:"unknown"` // no answer
	Found     uint64   `json:"found"`
	Lost      uint64   `json:"lost"`
	Duplicate uint64   `json:"duplicate_jobs"`
	UnknownOK uint64   `json:"unknown_present"`
	Refused   uint64   `json:"refused_but_processed"`
	Unended   uint64   `json:"unended"` // accepted work that had not ended when the ledger was closed
	Examples  []string `json:"examples,omitempty"`
	Error     string   `json:"error,omitempty"`
}

// ErrorClass is a kind of failure, without addresses and ports.
type ErrorClass struct {
	Class string `json:"class"`
	Count uint64 `json:"count"`
}

// BaselineReport compares with an earlier report.
type BaselineReport struct {
	Run     string   `json:"run"`
	Metrics []Change `json:"metrics"`
}

// Change is one value then and now: medians of the runs and their ranges.
type Change struct {
	Name       string  `json:"name"`
	Unit       Unit    `json:"unit"`
	Then       Range   `json:"then"`
	Now        Range   `json:"now"`
	Ratio      float64 `json:"ratio"`
	Regression bool    `json:"regression"`
}

// Range is a median and what it lies in.
type Range struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// RunReport is one of several runs of a scenario, in short.
type RunReport struct {
	Run     string             `json:"run"`
	Verdict Verdict            `json:"verdict"`
	Values  map[string]float64 `json:"values"` // by name, as in Change
}

// CapacityReport is what a search found.
type CapacityReport struct {
	Traffic string  `json:"traffic"`
	Held    float64 `json:"held"` // the highest rate at which all thresholds held
	Failed  float64 `json:"failed"`
	Why     string  `json:"why"`
}
