package observe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Want selects series of the service: all of a metric that carry the labels. A
// histogram or summary may be named as a whole, or by one of its parts (x_sum).
type Want struct {
	Metric string
	Labels []loadtest.Label
}

// Wants returns what the thresholds and hang rules of a scenario look at.
func Wants(s *loadtest.Scenario) ([]Want, error) {
	var wants []Want
	for _, t := range s.Thresholds {
		if t.Server {
			wants = append(wants, Want{Metric: string(t.Metric), Labels: t.Labels})
		}
	}
	for _, text := range []string{s.Hang.Queue, s.Hang.Progress} {
		if text == "" {
			continue
		}
		w, err := ParseWant(text)
		if err != nil {
			return nil, err
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// ParseWant reads a metric as scenarios name it: x, x{a=b} or x{a="b"}.
func ParseWant(text string) (Want, error) {
	metric, rest, labelled := strings.Cut(strings.TrimSpace(text), "{")
	w := Want{Metric: strings.TrimSpace(metric)}
	if w.Metric == "" || strings.ContainsAny(w.Metric, ` "},=`) {
		return Want{}, fmt.Errorf("%q is no metric; write for example queue_depth or queue_depth{kind=\"mail\"}", text)
	}
	if !labelled {
		return w, nil
	}
	rest, closed := strings.CutSuffix(strings.TrimSpace(rest), "}")
	if !closed {
		return Want{}, fmt.Errorf("%q: the labels are not closed; write } at the end", text)
	}
	for rest = strings.TrimSpace(rest); rest != ""; {
		l, more, err := label(rest)
		if err != nil {
			return Want{}, fmt.Errorf("%q: %w", text, err)
		}
		w.Labels = append(w.Labels, l)
		rest = more
	}
	return w, nil
}

// label reads one label and returns what follows it.
func label(text string) (l loadtest.Label, rest string, err error) {
	name, rest, found := strings.Cut(text, "=")
	l.Name, rest = strings.TrimSpace(name), strings.TrimSpace(rest)
	if !found || l.Name == "" {
		return l, "", fmt.Errorf("a label is written name=value")
	}
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		end := closing(quoted)
		if end < 0 {
			return l, "", fmt.Errorf("the value of label %s has no closing quote", l.Name)
		}
		l.Value, rest = unescaper.Replace(quoted[:end]), strings.TrimSpace(quoted[end+1:])
		after, separated := strings.CutPrefix(rest, ",")
		if rest != "" && !separated {
			return l, "", fmt.Errorf("labels are separated by commas")
		}
		return l, strings.TrimSpace(after), nil
	}
	value, rest, _ := strings.Cut(rest, ",")
	l.Value = strings.TrimSpace(value)
	return l, strings.TrimSpace(rest), nil
}

// closing returns where the first quote is that is not escaped, -1 if nowhere.
func closing(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

var (
	escaper   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
)

// Name is how a series is called: x{a="b",c="d"}, labels sorted by name.
func Name(metric string, labels ...loadtest.Label) string {
	if len(labels) == 0 {
		return metric
	}
	labels = slices.SortedFunc(slices.Values(labels), func(a, b loadtest.Label) int { return cmp.Compare(a.Name, b.Name) })
	var text strings.Builder
	text.WriteString(metric)
	for i, l := range labels {
		text.WriteByte("{,"[min(i, 1)])
		text.WriteString(l.Name)
		text.WriteString(`="`)
		text.WriteString(escaper.Replace(l.Value))
		text.WriteByte('"')
	}
	text.WriteByte('}')
	return text.String()
}

// of reports whether a series of family, with that name and those labels, is meant.
func (w Want) of(family string, r reading) bool {
	if w.Metric != family && w.Metric != r.metric {
		return false
	}
	for _, l := range w.Labels {
		if !slices.Contains(r.labels, l) {
			return false
		}
	}
	return true
}
