package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// The elements of JUnit XML that build servers show.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Time     float64  `xml:"time,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name      string  `xml:"name,attr"`
		Tests     int     `xml:"tests,attr"`
		Failures  int     `xml:"failures,attr"`
		Errors    int     `xml:"errors,attr"`
		Time      float64 `xml:"time,attr"`
		Timestamp string  `xml:"timestamp,attr"`
		Cases     []tcase `xml:"testcase"`
	}
	tcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Time    float64  `xml:"time,attr"`
		Failure *problem `xml:"failure,omitempty"`
		Error   *problem `xml:"error,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	problem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes reports as JUnit XML: a suite for each, a case for each threshold
// and one for the run itself. What the target did is a failure; a run that says
// nothing about it (INVALID, INCONCLUSIVE, interrupted) is an error.
func JUnit(w io.Writer, reports ...*loadtest.Report) error {
	all := suites{Name: "seadog"}
	for _, r := range reports {
		s := suiteOf(r)
		all.Suites = append(all.Suites, s)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Time += s.Time
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suiteOf(r *loadtest.Report) suite {
	s := suite{Name: r.Identity.Scenario, Time: r.Identity.Elapsed.Seconds(), Timestamp: r.Identity.Started.UTC().Format("2006-01-02T15:04:05")}
	run := tcase{Name: "run", Class: s.Name, Time: s.Time, Out: Deciding(r)}
	var rest []string
	for _, reason := range r.Reasons {
		if reason.Threshold == "" {
			rest = append(rest, string(reason.Verdict)+": "+reason.Text)
		}
	}
	if len(rest) > 0 {
		run.blame(r.Reasons[0].Verdict, strings.Join(rest, "\n"))
	}
	s.add(run)
	for _, t := range r.Thresholds {
		c := tcase{Name: t.Text, Class: s.Name, Out: t.Shown}
		if t.Verdict != loadtest.Pass {
			c.blame(t.Verdict, t.Why)
		}
		s.add(c)
	}
	return s
}

func (c *tcase) blame(v loadtest.Verdict, text string) {
	p := &problem{Type: string(v), Message: text, Text: text}
	if blames(v) {
		c.Failure = p
	} else {
		c.Error = p
	}
}

// blames reports whether v says something about the target.
func blames(v loadtest.Verdict) bool {
	switch v {
	case loadtest.SLO, loadtest.Correctness, loadtest.Hung, loadtest.Leaking, loadtest.Regression, loadtest.Aborted:
		return true
	}
	return false
}

func (s *suite) add(c tcase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
}
