package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

const (
	// DefaultStable is how long a service without a health check must run if the policy does not say.
	DefaultStable = 5 * time.Second
	// Tolerated is how many restarts of one container the gate forgives.
	Tolerated = 2
)

// Outcome is what a verdict or a finding says.
type Outcome string

const (
	Waiting Outcome = "waiting" // not to be told yet
	Passed  Outcome = "passed"
	Failed  Outcome = "failed" // will not get better by waiting
)

// Finding is the verdict on one service or probe.
type Finding struct {
	Service string // or the address of a probe
	Outcome Outcome
	Reason  string // one clause, also for Passed
}

// String is the finding as one clause.
func (f Finding) String() string { return f.Service + ": " + f.Reason }

// Verdict is the verdict on all services: Failed if one failed, Passed if all passed.
type Verdict struct {
	Outcome  Outcome
	Findings []Finding // sorted by service
}

// Reason names what kept the verdict from being Passed, as one sentence.
func (v Verdict) Reason() string {
	var parts []string
	for _, want := range []Outcome{Failed, Waiting} {
		for _, f := range v.Findings {
			if f.Outcome == want {
				parts = append(parts, f.String())
			}
		}
		if len(parts) > 0 && v.Outcome == Failed {
			break
		}
	}
	return strings.Join(parts, "; ")
}

// Seen is one observation together with what earlier ones of the same gate add to it.
type Seen struct {
	Observation
	Since    time.Time // when the gate first saw this run of the container
	Restarts int       // since the gate began to look
}

// Judge decides about one snapshot that was taken at now. Containers of
// services that are not expected are not judged.
func Judge(want []Expect, seen []Seen, now time.Time, p deployer.HealthPolicy) Verdict {
	stable := p.Stable
	if stable <= 0 {
		stable = DefaultStable
	}
	v := Verdict{Outcome: Passed}
	for _, e := range want {
		if e.Replicas <= 0 {
			continue
		}
		f := judgeService(e, seen, now, stable)
		v.Findings = append(v.Findings, f)
		v.Outcome = worse(v.Outcome, f.Outcome)
	}
	slices.SortFunc(v.Findings, func(a, b Finding) int { return strings.Compare(a.Service, b.Service) })
	return v
}

// judgeService lets the worst container speak for its service.
func judgeService(e Expect, seen []Seen, now time.Time, stable time.Duration) Finding {
	f := Finding{Service: e.Service, Outcome: Passed}
	n := 0
	for _, s := range seen {
		if s.Service != e.Service {
			continue
		}
		n++
		o, reason := judgeContainer(s, now, stable)
		if f.Reason == "" || worse(f.Outcome, o) != f.Outcome {
			f.Outcome, f.Reason = worse(f.Outcome, o), reason
		}
	}
	switch {
	case n == 0:
		f.Outcome, f.Reason = Waiting, "there is no container"
	case n < e.Replicas && f.Outcome != Failed:
		f.Outcome, f.Reason = Waiting, fmt.Sprintf("%d of %d containers are there", n, e.Replicas)
	}
	return f
}

func judgeContainer(s Seen, now time.Time, stable time.Duration) (Outcome, string) {
	if s.Restarts > Tolerated {
		return Failed, fmt.Sprintf("crash-looping: restarted %d times, last exit %s", s.Restarts, exit(s.Observation))
	}
	switch s.State {
	case Running:
		return judgeRunning(s, now, stable)
	case Exited:
		if s.ExitCode != 0 {
			return Failed, "exited with " + exit(s.Observation)
		}
		if s.Restart == "always" || s.Restart == "unless-stopped" {
			return Waiting, "stopped, although its restart policy is " + s.Restart
		}
		return Passed, "done (exit code 0)"
	case Dead:
		return Failed, "dead: the engine could not remove it"
	case Restarting:
		return Waiting, "restarting after exit " + exit(s.Observation)
	case Created:
		if s.Error != "" {
			return Failed, "could not be started: " + s.Error
		}
		return Waiting, "created, not started"
	}
	return Waiting, string(s.State)
}

func judgeRunning(s Seen, now time.Time, stable time.Duration) (Outcome, string) {
	switch s.Check {
	case CheckHealthy:
		return Passed, "healthy"
	case CheckUnhealthy:
		return Failed, "unhealthy" + after(s.CheckLog)
	case CheckStarting:
		return Waiting, "its health check has not passed yet" + after(s.CheckLog)
	}
	if ran := now.Sub(s.Since); ran < stable {
		return Waiting, fmt.Sprintf("running, not yet for %s", stable)
	}
	return Passed, "running"
}

func exit(o Observation) string {
	s := fmt.Sprintf("code %d", o.ExitCode)
	if o.OOM {
		s += " (out of memory)"
	}
	return s
}

func after(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// worse returns the outcome that decides: Failed before Waiting before Passed.
func worse(a, b Outcome) Outcome {
	if a == Failed || b == Failed {
		return Failed
	}
	if a == Waiting || b == Waiting {
		return Waiting
	}
	return Passed
}
