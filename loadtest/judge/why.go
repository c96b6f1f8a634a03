package judge

import (
	"fmt"
	"strings"
	"time"
)

// shown writes a value for people.
func (r *rule) shown(x reading) string {
	text := r.t.Format(x.value)
	if x.beyond {
		return "more than " + text
	}
	return text
}

// must says what a value is and what it must be.
func (r *rule) must(x reading) string {
	limit := fmt.Sprintf("%s %s", r.t.Compare, r.t.Format(r.t.Limit))
	if x.known && x.coarse && !x.holds(r.t) && r.t.Compare.Holds(x.value, r.t.Limit) {
		return fmt.Sprintf("%s cannot be told from the limit, which counts as beyond; it must be %s", r.shown(x), limit)
	}
	return fmt.Sprintf("%s, it must be %s", r.shown(x), limit)
}

// nothing says that there was nothing to judge.
func (r *rule) nothing() string {
	where := "in the judged phases"
	switch {
	case r.t.Phase != "":
		where = "in " + r.t.Phase
	case r.t.InFault != "":
		where = "while " + r.t.InFault + " lasted"
	}
	if r.t.Outside {
		where += " outside faults"
	}
	if r.service != nil {
		return fmt.Sprintf("the service showed no %s %s", r.named(), where)
	}
	of := ""
	if len(r.t.Labels) > 0 {
		of = " of " + r.named()
	}
	return fmt.Sprintf("no request%s was due %s that could tell", of, where)
}

// gone says that the service's metrics were missing.
func (r *rule) gone(hole stretch) string {
	return fmt.Sprintf("the service showed no %s from %s on for %s", r.named(), round(hole.from), hole.length().Round(10*time.Millisecond))
}

// named is the metric with its labels, as the scenario has it.
func (r *rule) named() string {
	var labels []string
	for _, l := range r.t.Labels {
		labels = append(labels, l.Name+"="+l.Value)
	}
	text := ""
	if r.service != nil {
		text = string(r.t.Metric)
	}
	if len(labels) > 0 {
		text += "{" + strings.Join(labels, ",") + "}"
	}
	return text
}
