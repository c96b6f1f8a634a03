// Package doctor examines what deployments depend on: the engine, Compose,
// git, disk, limits, clock, ports, proxies, and which protocol a port really
// speaks. Each probe says what it found and what to do about it.
//
// It only looks: it changes nothing, starts no container, and sends nothing but
// a single request for "/" (or the path it was given) to the addresses that it
// is asked about.
//
// Probes run at the same time, each in one goroutine that [Examine] waits for
// until the probe's time is up. Some system calls (statfs on a dead network
// file system) cannot be interrupted; such a probe is reported as hanging and
// its goroutine is left behind, for the command ends then.
package doctor

import (
	"context"
	"fmt"
	"time"
)

// Level is how bad a finding is.
type Level string

const (
	OK   Level = "ok"
	Warn Level = "warn" // deployments work, but not as well as they could
	Fail Level = "fail" // something will not work
)

// Finding is what one probe found.
type Finding struct {
	Name  string `json:"name"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // empty if there is nothing to do
}

// Config says what is examined.
type Config struct {
	Getenv func(string) string // required
	// Targets are addresses whose protocol is asked for: http://…, https://…,
	// uwsgi://host:port, host:port, unix:/path.
	Targets []string

	// Everything adds the machine and what the following fields name.
	Everything   bool
	Unconfigured string   // why there is no configuration, if there is none
	Ports        []string // host:port that the service wants to listen on
	Upstreams    []string // like Targets, but need not be up
	Data         string   // data directory
	DockerHost   string   // as in DOCKER_HOST, which it overrides
	Descriptors  int      // connections per HTTP worker

	// Patience is the time that each probe has; 10 s if 0.
	Patience time.Duration
}

// defaults for what no configuration names.
const (
	defaultData        = "/var/lib/seadog"
	defaultDescriptors = 8192
	defaultPatience    = 10 * time.Second
)

// probe is one examination. It must heed ctx where the system lets it.
type probe struct {
	name string
	run  func(context.Context, Config) []Finding
}

// Examine runs all probes and returns their findings in a fixed order.
func Examine(ctx context.Context, c Config) []Finding {
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	return runAll(ctx, c, probesFor(&c))
}

func runAll(ctx context.Context, c Config, probes []probe) []Finding {
	results := make([]chan []Finding, len(probes))
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	for i, p := range probes {
		results[i] = make(chan []Finding, 1)
		go func() { results[i] <- p.run(ctx, c) }()
	}
	// Probes that heed the context are back a moment after it has ended.
	late, giveUp := context.WithTimeout(context.WithoutCancel(ctx), c.Patience+time.Second)
	defer giveUp()
	findings := make([]Finding, 0, len(probes))
	for i, p := range probes {
		select {
		case found := <-results[i]:
			findings = append(findings, found...)
			continue
		case <-late.Done():
		}
		select { // both may be ready
		case found := <-results[i]:
			findings = append(findings, found...)
		default:
			findings = append(findings, Finding{
				p.name, Fail, fmt.Sprintf("no answer within %s: the system call itself hangs", c.Patience),
				"look at dmesg, and at mounts of network file systems",
			})
		}
	}
	return findings
}

func probesFor(c *Config) []probe {
	var probes []probe
	if c.Everything {
		if c.Data == "" {
			c.Data = defaultData
		}
		if c.Descriptors == 0 {
			c.Descriptors = defaultDescriptors
		}
		probes = []probe{
			{"configuration", configuration},
			{"engine", engine},
			{"compose", compose},
			{"buildx", buildx},
			{"git", git},
			{"data", data},
			{"disk", disk},
			{"descriptors", descriptors},
			{"processes", processes},
			{"clock", clock},
			{"ports", ports},
			{"proxies", proxies},
			{"pidfd", pidfd},
		}
	}
	for _, target := range c.Targets {
		probes = append(probes, probe{target, func(ctx context.Context, _ Config) []Finding {
			return []Finding{protocol(ctx, target, Fail)}
		}})
	}
	for _, target := range c.Upstreams {
		probes = append(probes, probe{target, func(ctx context.Context, _ Config) []Finding {
			return []Finding{protocol(ctx, target, Warn)}
		}})
	}
	return probes
}

// Worst returns the worst level among findings, OK if there are none.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		if f.Level == Fail || f.Level == Warn && worst == OK {
			worst = f.Level
		}
	}
	return worst
}

func configuration(_ context.Context, c Config) []Finding {
	if c.Unconfigured != "" {
		return []Finding{{"configuration", Warn, "examining the defaults, because: " + c.Unconfigured, "see all of it with: seadog check"}}
	}
	return []Finding{{"configuration", OK, "valid", ""}}
}

// ms renders a latency.
func ms(d time.Duration) string {
	if d < time.Millisecond {
		return "<1 ms"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
