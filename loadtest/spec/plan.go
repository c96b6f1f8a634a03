package spec

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// Plan is what a run of a scenario will do, known before its first request.
type Plan struct {
	Scenario    string          `json:"scenario"`
	Seed        uint64          `json:"seed"`
	Target      string          `json:"target,omitempty"`
	Length      time.Duration   `json:"length_ns"` // of one run
	Repeat      int             `json:"repeat"`
	Hits        uint64          `json:"hits"`
	Peak        float64         `json:"peak"`       // per second: what calibration must reach
	Bytes       int64           `json:"body_bytes"` // that are sent, about
	Phases      []PhasePlan     `json:"phases"`
	Traffic     []TrafficPlan   `json:"traffic"`
	Faults      []FaultPlan     `json:"faults,omitempty"`
	Thresholds  []ThresholdPlan `json:"thresholds"`
	Connections int             `json:"connections"`      // open at once, at most
	Dials       uint64          `json:"dials_in_60s"`     // new ones in the busiest minute
	Descriptors int             `json:"descriptors"`      // that must be free
	Ports       uint64          `json:"ephemeral_ports"`  // that must be free
	Notes       []string        `json:"notes,omitempty"`  // what somebody should know before he starts
	Decidable   bool            `json:"verdict_possible"` // every threshold has samples enough
}

// PhasePlan is one phase.
type PhasePlan struct {
	Name   string        `json:"name"`
	Begins time.Duration `json:"begins_ns"`
	For    time.Duration `json:"for_ns"`
	Judged bool          `json:"judged"`
	Scale  float64       `json:"scale"`
	Hits   uint64        `json:"hits"`
	Peak   float64       `json:"peak"` // per second: the sum of the peaks of what is sent in it
	Loads  []LoadPlan    `json:"loads,omitempty"`
}

// LoadPlan is one traffic in one phase.
type LoadPlan struct {
	Traffic string  `json:"traffic"`
	Hits    uint64  `json:"hits"`
	Peak    float64 `json:"peak"`
}

// TrafficPlan is one traffic over the run.
type TrafficPlan struct {
	Name      string  `json:"name"`
	Pacing    string  `json:"pacing"`
	Judged    bool    `json:"judged"`
	Hits      uint64  `json:"hits"`
	Peak      float64 `json:"peak"`
	Bytes     int64   `json:"body_bytes"`
	Repeated  uint64  `json:"repeated"`  // of the hits, about
	Negatives uint64  `json:"negatives"` // of the hits, about
}

// FaultPlan is one time that a fault comes.
type FaultPlan struct {
	Name   string        `json:"name"`
	What   string        `json:"what"`
	Begins time.Duration `json:"begins_ns"`
	Ends   time.Duration `json:"ends_ns"`
}

// planner holds the schedules of a scenario.
type planner struct {
	s         *loadtest.Scenario
	schedules [][]pace.Schedule // by traffic and phase
	plan      *Plan
}

// NewPlan plans a scenario. It is an error if a pacing cannot be scheduled.
// Arrivals that are drawn by chance are drawn, so that their numbers are exact.
func NewPlan(s *loadtest.Scenario) (*Plan, error) {
	p := &planner{s: s, plan: &Plan{
		Scenario: s.Name, Seed: s.Seed, Target: s.Target.BaseURL, Length: s.Length(), Repeat: s.Repeat, Decidable: true,
	}}
	for i := range s.Traffic {
		row := make([]pace.Schedule, len(s.Phases))
		for j := range s.Phases {
			var err error
			if row[j], err = pace.In(s, i, j); err != nil {
				return nil, fmt.Errorf("plan %s in %s: %w", s.Traffic[i].Name, s.Phases[j].Name, err)
			}
		}
		p.schedules = append(p.schedules, row)
	}
	p.phases()
	p.traffic()
	for i := range s.Faults {
		for _, at := range faultTimes(s, &s.Faults[i]) {
			p.plan.Faults = append(p.plan.Faults, FaultPlan{s.Faults[i].Name, what(s.Faults[i].Do), at.from, at.to})
		}
	}
	slices.SortStableFunc(p.plan.Faults, func(a, b FaultPlan) int { return int(a.Begins - b.Begins) })
	for i := range s.Thresholds {
		t := p.threshold(&s.Thresholds[i])
		p.plan.Decidable = p.plan.Decidable && t.Enough
		p.plan.Thresholds = append(p.plan.Thresholds, t)
	}
	p.resources()
	p.notes()
	return p.plan, nil
}

func (p *planner) phases() {
	for j, phase := range p.s.Phases {
		out := PhasePlan{Name: phase.Name, Begins: p.s.Begins(j), For: phase.For, Judged: phase.Judged, Scale: phase.Scale}
		for i, t := range p.s.Traffic {
			s := p.schedules[i][j]
			load := LoadPlan{t.Name, s.Planned(phase.For), pace.Peak(s, phase.For)}
			if load.Hits > 0 {
				out.Loads = append(out.Loads, load)
			}
			out.Hits += load.Hits
			out.Peak += load.Peak
		}
		p.plan.Hits += out.Hits
		p.plan.Peak = max(p.plan.Peak, out.Peak)
		p.plan.Phases = append(p.plan.Phases, out)
	}
}

func (p *planner) traffic() {
	for _, t := range p.s.Traffic {
		out := TrafficPlan{Name: t.Name, Pacing: string(t.Pacing.Kind), Judged: t.Judged}
		for _, phase := range p.plan.Phases {
			for _, load := range phase.Loads {
				if load.Traffic == t.Name {
					out.Hits += load.Hits
					out.Peak = max(out.Peak, load.Peak)
				}
			}
		}
		hits := float64(out.Hits)
		out.Repeated = uint64(hits * t.Replay.Share)
		usual := float64(bodySize(&t.Request))
		bytes := hits * usual
		for _, n := range t.Negatives {
			out.Negatives += uint64(hits * n.Share)
			if n.Mutate.Kind == "body" {
				bytes += hits * n.Share * (float64(n.Mutate.Size) - usual)
			}
		}
		out.Bytes = int64(bytes)
		p.plan.Bytes += out.Bytes
		p.plan.Traffic = append(p.plan.Traffic, out)
	}
}

// bodySize is the size of a body, on average and about.
func bodySize(r *loadtest.Request) int64 {
	if n := int64(len(r.Recorded)); n > 0 {
		sum := int64(0)
		for i := range r.Recorded {
			sum += int64(len(r.Recorded[i].Body))
		}
		return sum / n
	}
	b := &r.Body
	size := int64(len(b.Text))
	if b.File != "" {
		if info, err := os.Stat(b.File); err == nil {
			size = info.Size()
		}
	}
	return max(size, (b.MinSize+b.MaxSize)/2)
}

// resources is what the machine must have: see the rules that make a run
// invalid when it has not.
func (p *planner) resources() {
	c := p.s.Client
	p.plan.Connections = min(c.MaxConns, c.MaxInflight)
	p.plan.Descriptors = 2*p.plan.Connections + 256
	p.plan.Dials = uint64(p.plan.Connections)
	if c.FreshConns {
		p.plan.Dials = p.busiestMinute()
	}
	p.plan.Ports = p.plan.Dials + p.plan.Dials/2
}

// busiestMinute is the most requests in 60 s, looked at every second.
func (p *planner) busiestMinute() uint64 {
	const window = 60
	step := max(time.Second, p.plan.Length/20_000)
	var last [window]uint64
	most := uint64(0)
	for i, t := 0, step; ; i, t = i+1, t+step {
		sent := p.hits(p.all(), stretch{0, min(t, p.plan.Length)})
		most = max(most, sent-last[i%window])
		last[i%window] = sent
		if t >= p.plan.Length {
			return most
		}
	}
}

func (p *planner) notes() {
	note := func(text string, args ...any) { p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(text, args...)) }
	if p.s.Client.CatchUp == 0 {
		note("catch_up: unlimited sends all that was missed at once after a stall: the target is knocked down a second time")
	}
	if c := p.s.Client; c.MaxConns < c.MaxInflight {
		note("%d connections for %d requests at once: some wait for a connection, and service counts that as the target's time", c.MaxConns, c.MaxInflight)
	}
	if len(p.s.Thresholds) == 0 {
		note("there is no threshold: only hangs, a faulty generator or a ledger that does not balance can fail this run")
	}
	for _, t := range p.s.Thresholds {
		if judged := p.seconds(p.scope(&t)); t.Aggregate == loadtest.Slope && judged < leakTime {
			note("%s: %s are judged, and a leak verdict needs %s: it will be INCONCLUSIVE unless the leak is large", t.Text, judged, leakTime)
		}
	}
	for _, t := range p.plan.Thresholds {
		if t.Thin > 0 && t.Enough {
			note("%s: %d of %d windows have fewer than the %d samples that it needs, and are passed over", t.Text, t.Thin, t.Windows, t.Needs)
		}
	}
	for _, t := range p.plan.Traffic {
		if t.Hits == 0 {
			note("%s is never sent", t.Name)
		}
	}
	if p.plan.Peak > 20_000 && p.s.Client.Transport != loadtest.FastHTTP {
		note("%.0f/s is much for transport: nethttp; try fasthttp", p.plan.Peak)
	}
}

// leakTime is how long a series must be before its slope means anything.
const leakTime = 120 * time.Second
