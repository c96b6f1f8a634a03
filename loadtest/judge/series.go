package judge

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// part is what a series of the service is to a threshold.
type part int

const (
	plain  part = iota // what the threshold names
	bucket             // of the histogram that it names
	total              // its sum
	number             // its count
)

// series is one series of the service, as it comes in.
type series struct {
	last  loadtest.Point
	seen  bool
	feeds []feed
}

// feed is a rule that a series is for.
type feed struct {
	rule   *rule
	part   part
	bound  float64 // of a bucket
	counts bool    // the series only rises, but for a restart
}

// rise is by how much the series rose. A counter that fell began again at 0.
func (f feed) rise(c change) float64 {
	if f.counts && c.rise < 0 {
		return c.Value
	}
	return c.rise
}

// change is a new point of a series.
type change struct {
	loadtest.Point
	seen  bool    // there was one before
	rise  float64 // since then
	since time.Duration
}

// next takes a point and says what changed.
func (s *series) next(p loadtest.Point) change {
	c := change{Point: p, seen: s.seen}
	if s.seen {
		c.rise, c.since = p.Value-s.last.Value, p.At-s.last.At
	}
	s.last, s.seen = p, true
	return c
}

// newSeries finds the rules that a series is for, by its name, as Prometheus
// writes it.
func newSeries(name string, rules []*rule) *series {
	metric, labels := parseName(name)
	s := &series{}
	for _, r := range rules {
		if r.service == nil {
			continue
		}
		if f, ok := feedOf(r, metric, labels); ok {
			s.feeds = append(s.feeds, f)
		}
	}
	return s
}

func feedOf(r *rule, metric string, labels []loadtest.Label) (feed, bool) {
	wanted := string(r.t.Metric)
	f := feed{rule: r}
	switch metric {
	case wanted:
	case wanted + "_bucket":
		f.part = bucket
	case wanted + "_sum":
		f.part = total
	case wanted + "_count":
		f.part = number
	default:
		return f, false
	}
	f.counts = f.part != plain || r.t.Aggregate == loadtest.Rate || strings.HasSuffix(metric, "_total")
	have := loadtest.Threshold{Labels: labels}
	for _, l := range r.t.Labels {
		if value, ok := have.Label(l.Name); !ok || value != l.Value {
			return f, false
		}
	}
	// The quantiles of a summary mean nothing together.
	if _, of := have.Label("quantile"); of && f.part == plain {
		if _, named := r.t.Label("quantile"); !named {
			return f, false
		}
	}
	if f.part == bucket {
		text, _ := have.Label("le")
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(bound) {
			return f, false
		}
		f.bound = bound
	}
	return f, true
}

// parseName takes x{a="b",c="d"} apart.
func parseName(name string) (metric string, labels []loadtest.Label) {
	metric, rest, _ := strings.Cut(name, "{")
	for {
		label, after, ok := strings.Cut(rest, `="`)
		if !ok {
			return metric, labels
		}
		end := 0
		for end < len(after) && after[end] != '"' {
			if after[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(after) {
			return metric, labels
		}
		labels = append(labels, loadtest.Label{Name: strings.Trim(label, ", "), Value: unescaped.Replace(after[:end])})
		rest = after[end+1:]
	}
}

var unescaped = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
