package spec

import (
	"slices"

	"github.com/seadog/seadog/loadtest"
)

func (b *builder) thresholds() {
	all := make([]*parsed, len(b.f.Thresholds))
	windows := false // some threshold shows when all is well again after a fault
	for i, text := range b.f.Thresholds {
		p, err := parse(text)
		if err != nil {
			b.wrong(i, err)
			continue
		}
		all[i] = p
		windows = windows || p.Over > 0 && p.InFault == ""
	}
	for i, p := range all {
		if p == nil {
			continue
		}
		if first := slices.Index(b.f.Thresholds, b.f.Thresholds[i]); first < i {
			b.fail(item("thresholds", i), "keep one of the two", "the same as thresholds[%d]", first)
		}
		if err := b.refer(p, windows); err != nil {
			b.wrong(i, err)
		}
		b.s.Thresholds = append(b.s.Thresholds, p.Threshold)
	}
}

// wrong reports what is wrong with threshold i.
func (b *builder) wrong(i int, err *ThresholdError) {
	b.failAt(item("thresholds", i), err.Column, err.Do, "%s: %s", cut(b.f.Thresholds[i]), err.What)
}

// refer says whether what a threshold is about is in the scenario.
func (b *builder) refer(p *parsed, windows bool) *ThresholdError {
	if err := b.referScope(p); err != nil {
		return err
	}
	if p.Aggregate == loadtest.Recover {
		if err := b.referFault(p.Fault, p.metric); err != nil {
			return err
		}
		if !windows {
			return wrongAt(p.aggregate, "add one like: p99(response) < 500ms over 1s", "recover waits until all thresholds with over hold again, and there is none but those in fault(…)")
		}
		return nil
	}
	c := classOf(&p.Threshold)
	switch {
	case c.requests:
		return b.referTraffic(p)
	case p.Server:
		return b.referSource(p)
	case p.Metric != loadtest.MetricHangs:
		return b.referLedger(p)
	}
	return nil
}

func (b *builder) referScope(p *parsed) *ThresholdError {
	if p.Phase != "" && b.s.PhaseIndex(p.Phase) < 0 {
		return wrongAt(p.scope, suggest(p.Phase, b.phaseNames(), "there are "), "there is no phase %s", cut(p.Phase))
	}
	if p.InFault == "" {
		return nil
	}
	if err := b.referFault(p.InFault, p.scope); err != nil {
		return err
	}
	for _, f := range b.s.Faults {
		if f.Name == p.InFault && f.For == 0 {
			return wrongAt(p.scope, "give it a duration, or use in PHASE", "fault %s is over at once, so nothing is in it", p.InFault)
		}
	}
	return nil
}

func (b *builder) referFault(name string, column int) *ThresholdError {
	var names []string
	for _, f := range b.s.Faults {
		names = append(names, f.Name)
	}
	switch {
	case len(names) == 0:
		return wrongAt(column, "add it under faults", "there is no fault %s", cut(name))
	case !slices.Contains(names, name):
		return wrongAt(column, suggest(name, names, "there are "), "there is no fault %s", cut(name))
	}
	return nil
}

func (b *builder) referTraffic(p *parsed) *ThresholdError {
	var names []string
	judged := false
	variants := []string{"plain", "replay", "negative"}
	name, labelled := p.Label("scenario")
	for _, t := range b.s.Traffic {
		names = append(names, t.Name)
		judged = judged || t.Judged
		for _, n := range t.Negatives {
			if !labelled || t.Name == name {
				variants = append(variants, n.Name)
			}
		}
	}
	if !labelled && !judged && len(names) > 0 {
		return wrongAt(p.metric, "name one: "+string(p.Metric)+"{scenario="+names[0]+"}", "no scenario is judged")
	}
	for i, l := range p.Labels {
		switch {
		case l.Name == "scenario" && !slices.Contains(names, l.Value):
			return wrongAt(p.labels[i], suggest(l.Value, names, "there are "), "there is no scenario %s", cut(l.Value))
		case l.Name == "variant" && !slices.Contains(variants, l.Value):
			return wrongAt(p.labels[i], suggest(l.Value, variants, "there are "), "there is no variant %s", cut(l.Value))
		}
	}
	return nil
}

// referSource says whether somebody looks where the metric comes from.
func (b *builder) referSource(p *parsed) *ThresholdError {
	seen := b.hasMetrics()
	do := "write where they are: target: {metrics: {url: /metrics}}"
	switch p.Metric {
	case loadtest.MetricRSS, loadtest.MetricFDs, loadtest.MetricThreads:
		seen = seen || b.hasProcess()
		do = "write target.process.pid_file, or target.metrics.url"
	}
	if !seen {
		return wrongAt(p.metric, do, "%s is a metric of the service, and nobody asks it", p.Metric)
	}
	return nil
}

func (b *builder) referLedger(p *parsed) *ThresholdError {
	if l := b.s.Target.Ledger; l.URL == "" && l.Counter == "" && !b.managed() {
		return wrongAt(p.metric, "write target.ledger.url, or target.ledger.counter", "%s is what the service knows of its jobs, and nobody asks it", p.Metric)
	}
	if !slices.ContainsFunc(b.s.Traffic, func(t loadtest.Traffic) bool { return t.Request.ID.Header != "" }) {
		return wrongAt(p.metric, "name its header: request: {id: {header: X-Request-ID}}", "%s is told by ids, and no scenario has one", p.Metric)
	}
	return nil
}

// samples refuses thresholds for which too few requests are planned: their
// verdict would be INCONCLUSIVE whatever the service does.
func (b *builder) samples() {
	plan, err := NewPlan(b.s)
	if err != nil { // every schedule was made before
		b.fail("scenarios", "", "%s", err)
		return
	}
	for i, t := range plan.Thresholds {
		if !t.Enough {
			b.fail(item("thresholds", i), t.do, "%s: %s", cut(t.Text), t.Why)
		}
	}
}
