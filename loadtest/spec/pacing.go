package spec

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// pacingKeys are the keys of each kind: those that it must have, and after the
// bar those that it may.
func pacingKeys() map[loadtest.PacingKind]string {
	return map[loadtest.PacingKind]string{
		loadtest.Constant: "rate",
		loadtest.Ramp:     "from to",
		loadtest.Steps:    "steps",
		loadtest.Sine:     "mean amplitude period | shift",
		loadtest.Spike:    "base peak at for",
		loadtest.Burst:    "size every",
		loadtest.Poisson:  "rate",
		loadtest.Replayed: "file | speed",
		loadtest.Search:   "from to step for",
	}
}

func (b *builder) pacing(key string, f pacing, t *loadtest.Traffic) loadtest.Pacing {
	p := loadtest.Pacing{
		Kind: loadtest.PacingKind(f.Kind), Rate: float64(f.Rate), From: float64(f.From), To: float64(f.To),
		Mean: float64(f.Mean), Amplitude: float64(f.Amplitude), Period: time.Duration(f.Period), Shift: float64(f.Shift),
		Base: float64(f.Base), Peak: float64(f.Peak), At: time.Duration(f.At), For: time.Duration(f.For),
		Size: f.Size, Every: time.Duration(f.Every), File: b.path(f.File), Speed: float64(f.Speed), Step: float64(f.Step),
	}
	for _, s := range f.Steps {
		p.Steps = append(p.Steps, loadtest.Step{Rate: float64(s.Rate), For: time.Duration(s.For)})
	}
	if p.Kind == loadtest.Replayed && !b.given(key+".speed") {
		p.Speed = 1
	}
	if !b.pacingKeys(key, p.Kind) {
		return p
	}
	if p.Kind == loadtest.Replayed {
		text, err := readFile(p.File, maxBody)
		if err == nil {
			p.Offsets, err = offsets(text)
		}
		if err != nil {
			b.fail(key+".file", "name a file with a line like {\"at\": \"1.5s\"} for each request", "%s: %s", cut(f.File), err)
			return p
		}
	}
	b.schedules(key, p, t)
	return p
}

// pacingKeys refuses keys that mean nothing to the kind, and asks for those
// that are missing.
func (b *builder) pacingKeys(key string, kind loadtest.PacingKind) bool {
	before := len(b.problems)
	keys, known := pacingKeys()[kind]
	if !known {
		if b.given(key + ".kind") {
			b.fail(key+".kind", suggest(string(kind), pace.Kinds(), "write one of "), "%q is not a kind of pacing", cut(string(kind)))
		} else {
			b.fail(key+".kind", "write one of "+strings.Join(pace.Kinds(), ", "), "missing")
		}
		return false
	}
	must, may, _ := strings.Cut(keys, " | ")
	b.required(key, strings.Fields(must)...)
	all := append(strings.Fields(must), strings.Fields(may)...)
	for _, other := range pacingKeys() {
		for _, k := range strings.Fields(strings.ReplaceAll(other, "|", "")) {
			if b.given(below(key, k)) && !slices.Contains(all, k) {
				b.fail(below(key, k), "the keys of "+string(kind)+" are "+strings.Join(all, ", "), "means nothing to %s", kind)
			}
		}
	}
	return len(b.problems) == before
}

// schedules makes the schedule of every phase in which a traffic is sent, so
// that what cannot be planned is known before the run.
func (b *builder) schedules(key string, p loadtest.Pacing, t *loadtest.Traffic) {
	var problem *pace.Problem
	if _, err := pace.New(p, 0, maxPhase, 0); errors.As(err, &problem) { // whatever the phase
		b.fail(below(key, problem.Key), problem.Do, "%s", problem.What)
		return
	}
	sent, hits, longest := false, uint64(0), time.Duration(0)
	for i, phase := range b.s.Phases {
		if b.bad[item("phases", i)+".for"] || b.bad[item("phases", i)+".scale"] || t.Phases != nil && !slices.Contains(t.Phases, phase.Name) {
			continue
		}
		s, err := pace.New(p, phase.Scale, phase.For, b.s.Seed)
		if errors.As(err, &problem) {
			b.fail(below(key, problem.Key), problem.Do, "in phase %s, %s", phase.Name, problem.What)
			return
		}
		sent, longest = sent || phase.Scale > 0, max(longest, phase.For)
		hits += s.Planned(phase.For)
	}
	switch {
	case !sent:
	case p.Kind == loadtest.Spike && p.At >= longest:
		b.fail(key+".at", "let it begin earlier, or make a phase longer", "the spike would begin at %s, and no phase is longer than %s", p.At, longest)
	case hits == 0:
		b.fail(key, "make the phases longer, or the first request earlier", "nothing is due in any phase")
	}
}

// maxOffsets is how many requests a recording may have.
const maxOffsets = 5_000_000

// offsets reads a recording: one JSON object a line, with the time since its
// begin as "at": "1.5s", or as "at_ns": 1500000000. What else is in it is for others.
func offsets(text []byte) ([]time.Duration, error) {
	var out []time.Duration
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var line struct {
			At   *string `json:"at"`
			AtNS *int64  `json:"at_ns"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d is not a JSON object", n)
		}
		var at time.Duration
		switch {
		case line.AtNS != nil:
			at = time.Duration(*line.AtNS)
		case line.At != nil:
			var err error
			if at, err = time.ParseDuration(*line.At); err != nil {
				return nil, fmt.Errorf("line %d: %q is not a duration", n, cut(*line.At))
			}
		default:
			return nil, fmt.Errorf("line %d says nothing of when: at is missing", n)
		}
		if len(out) == maxOffsets {
			return nil, fmt.Errorf("more than %d requests", maxOffsets)
		}
		out = append(out, at)
	}
	if lines.Err() != nil {
		return nil, errors.New("a line of more than 1MiB")
	}
	return out, nil
}
