package spec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// ParseThreshold reads one threshold:
//
//	threshold = expr [ "over" DUR ] [ "in" PHASE | "in fault(" NAME ")" | "outside faults" ]
//	            [ "," "abort" [ "after" INT ] ] ;
//	expr      = agg "(" [ "server." ] metric [ "{" label "=" value { "," label "=" value } "}" ] ")" cmp NUMBER [ unit ] ;
//	agg       = [ "server." ] ( "p" NUMBER | "mean" | "max" | "min" | "count" | "rate" | "ratio" | "slope" | "delta" | "recover" ) ;
//	cmp       = "<" | "<=" | ">" | ">=" | "==" ;
//	unit      = "us" | "ms" | "s" | "%" | "/s" | "B" | "KiB" | "MiB" | "GiB" [ "/h" ] ;
//
// Limits come out in base units. Whether phases, faults and scenarios exist is
// for [Parse] to say. The error is a [*ThresholdError].
func ParseThreshold(text string) (loadtest.Threshold, error) {
	p, err := parse(text)
	if err != nil {
		return loadtest.Threshold{}, err
	}
	return p.Threshold, nil
}

// parsed is a threshold, and where its parts stand: columns from 1.
type parsed struct {
	loadtest.Threshold
	aggregate, metric, compare, limit, over, scope int
	labels                                         []int
}

func parse(text string) (*parsed, *ThresholdError) {
	s := &scanner{text: text}
	p := &parsed{}
	p.Text = strings.TrimSpace(text)
	for _, part := range []func(*scanner) *ThresholdError{p.expression, p.comparison, p.number, p.windows, p.where, p.abort} {
		s.space()
		if err := part(s); err != nil {
			return nil, err
		}
	}
	if s.space(); s.pos < len(s.text) {
		return nil, s.wrong("after the limit there may be: over 10s, then in PHASE, in fault(NAME) or outside faults, then , abort after 3", "unexpected %s", s.rest())
	}
	return p, p.check()
}

// aggregates are the names of those that are not percentiles.
var aggregates = [...]string{"mean", "max", "min", "count", "rate", "ratio", "slope", "delta", "recover"}

var percentileRE = regexp.MustCompile(`^p([0-9]+(?:\.[0-9]+)?)$`)

func (p *parsed) expression(s *scanner) *ThresholdError {
	p.Server = s.accept("server.")
	p.aggregate = s.column()
	name := s.word(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' })
	switch found := percentileRE.FindStringSubmatch(name); {
	case found != nil:
		q, ok := scaled(found[1], -2)
		if !ok || q <= 0 || q >= 1 {
			return wrongAt(p.aggregate, "write p50, p99 or p99.9; the highest value is max", "%s is no percentile", cut(name))
		}
		p.Aggregate, p.Q = loadtest.Quantile, q
	case slices.Contains(aggregates[:], name):
		p.Aggregate = loadtest.Aggregate(name)
	case name == "":
		return wrongAt(p.aggregate, "write one like p99(response) < 50ms", "expected what is measured, found %s", s.rest())
	default:
		return wrongAt(p.aggregate, suggest(name, aggregates[:], "there are percentiles like p99, and "), "unknown aggregate %s", cut(name))
	}
	if s.space(); !s.accept("(") {
		return s.wrong("write "+name+"(response)", "expected ( after %s, found %s", cut(name), s.rest())
	}
	s.space()
	p.metric = s.column()
	if p.Aggregate == loadtest.Recover {
		if p.Fault = s.word(inName); p.Fault == "" {
			return s.wrong("write recover(NAME)", "expected the name of a fault, found %s", s.rest())
		}
	} else if err := p.series(s); err != nil {
		return err
	}
	if s.space(); !s.accept(")") {
		return s.wrong("write ) after what is measured", "expected ), found %s", s.rest())
	}
	return nil
}

// series reads a metric and its labels.
func (p *parsed) series(s *scanner) *ThresholdError {
	p.Server = s.accept("server.") || p.Server
	name := s.word(inMetric)
	switch {
	case name == "" || isDigit(name[0]):
		return wrongAt(p.metric, "write one like response; metrics of the service are written server.NAME", "expected a metric, found %s", s.rest())
	case !p.Server && !isOurs(name):
		return wrongAt(p.metric, suggest(name, ourMetrics(), "metrics of the service are written server."+cut(name)+"; ours are "), "unknown metric %s", cut(name))
	}
	p.Metric = loadtest.Metric(name)
	p.Server = p.Server || ofProcess(p.Metric)
	if s.space(); !s.accept("{") {
		return nil
	}
	for {
		if err := p.label(s); err != nil {
			return err
		}
		if s.space(); s.accept("}") {
			return nil
		}
		if !s.accept(",") {
			return s.wrong("write , before another label, and } after the last", "expected , or }, found %s", s.rest())
		}
	}
}

func (p *parsed) label(s *scanner) *ThresholdError {
	s.space()
	at := s.column()
	l := loadtest.Label{Name: s.word(inLabel)}
	if l.Name == "" || isDigit(l.Name[0]) {
		return wrongAt(at, `write {scenario=NAME}, or {label="value"} of a metric of the service`, "expected a label, found %s", s.rest())
	}
	if _, twice := p.Label(l.Name); twice {
		return wrongAt(at, "keep one of the two", "label %s is given twice", cut(l.Name))
	}
	if s.space(); !s.accept("=") {
		return s.wrong("write "+l.Name+"=VALUE", "expected = after label %s, found %s", cut(l.Name), s.rest())
	}
	s.space()
	value, err := s.value()
	if err != nil {
		return err
	}
	l.Value = value
	p.Labels = append(p.Labels, l)
	p.labels = append(p.labels, at)
	return nil
}

// value reads the value of a label: a word, or a text in quotes.
func (s *scanner) value() (string, *ThresholdError) {
	begin := s.column()
	if !s.accept(`"`) {
		value := s.word(inValue)
		if value == "" {
			return "", s.wrong("write a word, or any text in double quotes", "expected a value, found %s", s.rest())
		}
		return value, nil
	}
	var value strings.Builder
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch c {
		case '"':
			return value.String(), nil
		case '\\':
			if s.pos == len(s.text) {
				continue
			}
			switch c = s.text[s.pos]; c {
			case 'n':
				c = '\n'
			case '"', '\\':
			default:
				return "", s.wrong(`write \\ for a backslash`, `\%c stands for nothing`, c)
			}
			s.pos++
			value.WriteByte(c)
		default:
			value.WriteByte(c)
		}
	}
	return "", wrongAt(begin, `write " after it`, "a value in quotes has no end")
}

func (p *parsed) comparison(s *scanner) *ThresholdError {
	p.compare = s.column()
	for _, c := range []loadtest.Comparison{loadtest.LessEqual, loadtest.Less, loadtest.GreaterEqual, loadtest.Greater, loadtest.Equal} {
		if s.accept(string(c)) {
			p.Compare = c
			return nil
		}
	}
	return s.wrong("write <, <=, >, >= or ==, and a limit", "expected a comparison, found %s", s.rest())
}

// units are what limits are written in: the exponent of ten, or the factor, of the base unit.
var units = []struct {
	name     string
	unit     loadtest.Unit
	exponent int
	factor   float64
}{
	{"us", loadtest.Seconds, -6, 1},
	{"ms", loadtest.Seconds, -3, 1},
	{"s", loadtest.Seconds, 0, 1},
	{"%", loadtest.Share, -2, 1},
	{"B", loadtest.Bytes, 0, 1},
	{"KiB", loadtest.Bytes, 0, 1 << 10},
	{"MiB", loadtest.Bytes, 0, 1 << 20},
	{"GiB", loadtest.Bytes, 0, 1 << 30},
}

func (p *parsed) number(s *scanner) *ThresholdError {
	p.limit = s.column()
	digits := s.word(func(c byte) bool { return isDigit(c) || c == '.' })
	if _, ok := decimal(digits); !ok {
		s.pos -= len(digits)
		return s.wrong("write digits, and a unit: 50ms, 0.1%, 4MiB, 10/h", "expected a limit, found %s", s.rest())
	}
	exponent, factor := 0, 1.0
	end := s.pos
	spaced := s.space()
	at := s.column()
	name := s.word(func(c byte) bool { return isLetter(c) || c == '%' })
	known := name == ""
	for _, u := range units {
		if u.name == name {
			p.Unit, exponent, factor, known = u.unit, u.exponent, u.factor, true
		}
	}
	switch {
	case spaced && slices.Contains([]string{"over", "in", "outside"}, name):
		s.pos = end
	case !known:
		return wrongAt(at, "units are us, ms, s, %, /s, B, KiB, MiB, GiB; of a slope one of them, or none, and /h", "unknown unit %s", cut(name))
	case name == "" && s.accept("/s"):
		p.Unit = loadtest.PerSecond
	default:
		p.PerHour = s.accept("/h")
	}
	limit, ok := scaled(digits, exponent)
	if limit *= factor; !ok || limit > 1e18 {
		return wrongAt(p.limit, "write a smaller one", "a limit of %s is out of range", cut(digits))
	}
	p.Limit = limit
	return nil
}

func (p *parsed) windows(s *scanner) *ThresholdError {
	if !s.keyword("over") {
		return nil
	}
	s.space()
	p.over = s.column()
	text := s.word(inName)
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return wrongAt(p.over, "write a duration from 1s to 24h, like over 10s", "%q is no length of windows", cut(text))
	}
	p.Over = d
	return nil
}

func (p *parsed) where(s *scanner) *ThresholdError {
	at := s.column()
	switch {
	case s.keyword("outside"):
		p.scope = at
		if s.space(); !s.keyword("faults") {
			return s.wrong("write outside faults", "expected faults, found %s", s.rest())
		}
		p.Outside = true
	case s.keyword("in"):
		s.space()
		p.scope = s.column()
		name := s.word(inName)
		if name == "" {
			return s.wrong("write in PHASE, or in fault(NAME)", "expected the name of a phase, found %s", s.rest())
		}
		before := s.pos
		s.space()
		if name != "fault" || !s.accept("(") {
			s.pos = before
			p.Phase = name
			return nil
		}
		s.space()
		p.scope = s.column()
		if p.InFault = s.word(inName); p.InFault == "" {
			return s.wrong("write in fault(NAME)", "expected the name of a fault, found %s", s.rest())
		}
		if s.space(); !s.accept(")") {
			return s.wrong("write ) after the name of the fault", "expected ), found %s", s.rest())
		}
	}
	return nil
}

func (p *parsed) abort(s *scanner) *ThresholdError {
	if !s.accept(",") {
		return nil
	}
	s.space()
	at := s.column()
	if !s.keyword("abort") {
		return s.wrong("write , abort or , abort after 3", "expected abort, found %s", s.rest())
	}
	p.Abort = 1
	if s.space(); s.keyword("after") {
		s.space()
		digits := s.word(isDigit)
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > 1000 {
			s.pos -= len(digits)
			return s.wrong("write how many failing windows in a row, from 1 to 1000", "expected a number of windows, found %s", s.rest())
		}
		p.Abort = n
	}
	if p.Over == 0 {
		return wrongAt(at, "write over 10s before it: so many windows in a row must fail", "abort needs windows")
	}
	return nil
}
