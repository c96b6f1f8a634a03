package loadtest

import (
	"net/http"
	"time"
)

// Scenario is one run as its file describes it. Package spec reads and
// validates it; all durations, rates and sizes are in force as they stand here,
// defaults filled in.
type Scenario struct {
	Name        string
	Description string
	Seed        uint64
	Digest      string // SHA-256 of the file, in hex: which scenario a report is about
	Target      Target
	Client      Client
	Phases      []Phase
	Traffic     []Traffic // "scenarios" in the file: the word of the field's tools, and the label of metrics
	Faults      []Fault
	Thresholds  []Threshold
	Hang        Hang
	Repeat      int     // the median run decides; 1 by default
	Service     Service // for the release gate, which starts the service itself
}

// Length is how long the scheduled part of a run takes.
func (s *Scenario) Length() time.Duration {
	var d time.Duration
	for _, p := range s.Phases {
		d += p.For
	}
	return d
}

// Begins returns when phase i begins, counted from the start of the run.
func (s *Scenario) Begins(i int) time.Duration {
	var d time.Duration
	for _, p := range s.Phases[:i] {
		d += p.For
	}
	return d
}

// PhaseIndex returns the index of the phase of that name, -1 if there is none.
func (s *Scenario) PhaseIndex(name string) int {
	for i, p := range s.Phases {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// TrafficIndex returns the index of the traffic of that name, -1 if there is none.
func (s *Scenario) TrafficIndex(name string) int {
	for i, t := range s.Traffic {
		if t.Name == name {
			return i
		}
	}
	return -1
}

// Target is the service that is tested.
type Target struct {
	BaseURL    string   // http://host:port, without a path
	AllowHosts []string // beside the loopback; the user said that they are his
	Metrics    Endpoint // Prometheus text
	Pprof      Endpoint // …/debug/pprof
	Ledger     Ledger
	PIDFile    string        // of the process whose RSS, descriptors and threads are sampled; "": none
	PID        int           // the same, known already; 0: none
	Every      time.Duration // of samples of metrics and process; 1 s by default
}

// Endpoint is something that is asked beside the load.
type Endpoint struct {
	URL    string
	Header http.Header
}

// Ledger says where the service tells what became of what it accepted.
type Ledger struct {
	URL    string // of a list of deliveries, GET; "": there is none
	Header http.Header
	Kind   string // "seadog": pages of /api/v1/deliveries; "ids": {"ids": […]} in one answer
	// Counter is a counter of the service's metrics, with labels as thresholds have
	// them: how many requests it took. It tells less than a list; without one, it is asked.
	Counter string
}

// Client is how requests are sent.
type Client struct {
	Transport   Transport
	MaxInflight int           // requests on their way at once, per run
	MaxConns    int           // connections, per run
	Timeout     time.Duration // of one request, from its send
	LateLimit   time.Duration // a request that could not be sent so long after it was due is dropped
	CatchUp     float64       // how many times the scheduled rate may be sent to catch up; 0: no limit
	FreshConns  bool          // a new connection for every request, as forges do
	Insecure    bool          // TLS certificates are not checked
}

// Transport is the HTTP client below the probe.
type Transport string

const (
	NetHTTP  Transport = "nethttp"
	FastHTTP Transport = "fasthttp" // for more than 20,000 requests a second
)

// Phase is a stretch of the run.
type Phase struct {
	Name   string
	For    time.Duration
	Judged bool    // false: thresholds without a scope of their own leave it out
	Scale  float64 // of all rates; 0: no load
	// Stretch says that longer runs of the scenario make this phase longer; the
	// others take what they take.
	Stretch bool
}

// Traffic is one kind of request and when it is sent.
type Traffic struct {
	Name      string
	Pacing    Pacing
	Phases    []string // names of the phases in which it is sent; nil: all
	Request   Request
	Expect    Expect
	Replay    Replay     // a share is sent a second time under the same id
	Negatives []Negative // shares that must be refused
	Judged    bool       // false: it disturbs, and does not count in thresholds without a label
}

// Request is what is sent. Path, header values and body may hold {{run}},
// {{seq}}, {{id}}, {{project}} and {{rand N}} (N random hex digits, of the seed).
type Request struct {
	Method   string
	Path     string
	Header   http.Header
	Body     Body
	ID       ID
	Sign     Sign
	Projects []string // what {{project}} stands for, one request after the other
	// Recorded, if there is any, takes the place of Method, Path, Header and Body:
	// request n is the one at n, and after the last comes the first again.
	Recorded []Recorded
}

// Body is a fixed text, or a template of the file, or a push of a forge.
type Body struct {
	Text       string // as it stands in the file
	File       string // a template, its placeholders filled in
	Push       string // "github": a realistic push event to this repository, of Size
	Repository string
	Ref        string
	Commits    []string // of pushes, oldest first: each project gets one after the other, and then the last again; nil: random ones
	MinSize    int64    // bytes; bodies are between the two, uniformly by the seed
	MaxSize    int64
}

// ID says how a request is told from others.
type ID struct {
	Header string // "": no id
}

// Sign is how bodies are signed.
type Sign struct {
	Scheme string // see package target; "": not signed
	Header string
	Secret string // from secret, secret_env or secret_file of the file
}

// Expect says what a good answer is.
type Expect struct {
	Status   []int  // any of them
	Contains string // the body, if not ""
	Closed   bool   // no answer is good as well: the connection ends
	MaxBody  int64  // bytes that are read; the rest is an unexpected answer
}

// Replay is the share of requests that are sent again.
type Replay struct {
	Share  float64 // 0 … 1
	Expect Expect
}

// Negative is a share of requests that are spoiled, and must be refused.
type Negative struct {
	Name   string
	Share  float64 // 0 … 1
	Mutate Mutation
	Expect Expect
}

// Mutation is how a request is spoiled.
type Mutation struct {
	Kind string // "signature", "unsigned", "body", "json", "method", "path"; "recorded": it was spoiled already
	Size int64  // of "body"
	Path string // of "path"
}

// Fault is one disturbance. It is undone at its end, and on every exit.
type Fault struct {
	Name  string
	Phase string        // the phase in which it begins
	At    time.Duration // after that phase began
	For   time.Duration // 0: it is over at once (a kill)
	Every time.Duration // 0: once; else it comes again, until the phase ends
	Do    Action
}

// Action is what a fault does.
type Action struct {
	Kind   string            // see package fault
	Target string            // of what: "worker", "runner", "master", a proxy's or a client's name
	Args   map[string]string // by kind: latency, jitter, rate, share, bytes, count, route, …
}

// Hang says when something counts as stuck. Zero fields are defaults.
type Hang struct {
	After    time.Duration // in flight without a first byte; max(2 s, 20 × the tightest p99 limit)
	Gap      time.Duration // requests outstanding and no completion; 1 s
	Probe    string        // path of the prober, which takes a fresh connection every time; "": none
	Drain    time.Duration // after the load: until all is back to where it was; 30 s
	Queue    string        // gauge of work that waits, of the service's metrics; "": not watched
	Progress string        // counter of work done
	Tolerate bool          // hangs are what the scenario is about: they are reported and do not fail the run
}

// Service is what the release gate starts for the scenario. The load tester
// itself passes it by.
type Service struct {
	Kind    string            // "serve", "lab"; "": the scenario needs a running target
	Options map[string]string // see the gate
}
