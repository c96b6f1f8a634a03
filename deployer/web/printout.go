package web

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// printout is a part of a log, as the page has it when it comes from the
// server: the end of it, or what was asked for.
type printout struct {
	Steps    []printedStep
	First    string // position before the first line that is shown
	Next     string // position after the last one
	Earlier  bool   // there are lines before these
	Newest   bool   // nothing was there behind these
	Find     string
	Found    int // lines that match; only those are shown
	Capped   bool
	Error    string // position of the first error, "" if there is none
	NoOutput bool
	At       bool // Error was asked for
}

type printedStep struct {
	Step  deployer.Step
	Lines []printedLine
}

// printedLine is one line.
type printedLine struct {
	ID    string // position after it, which names it
	At    string // since the deployment began
	Time  time.Time
	Err   bool // stderr
	Alarm bool // it looks like the reason of a failure
	Here  bool // it is the one that was asked for
	Text  string
}

// A page has to stay small whatever was printed.
const (
	printedLines = 300
	printedBytes = 40 << 10
	longestLine  = 4 << 10
	mostFound    = 200
)

// alarmRE finds lines that look like the reason of a failure. The script has
// the same.
var alarmRE = regexp.MustCompile(`(?i)\b(error|fatal|panic|exception|failed|failure|denied|cannot|could not|unable to|not found|no such|killed|oom)\b|^E[: ]`)

// printout reads what the query asks for: ?from=POSITION, ?find=TEXT,
// ?at=error, or the end.
func (u *UI) printout(v *visit, d deployer.Deployment) (printout, error) {
	find := v.text("find")
	if find != "" {
		return u.search(d, find)
	}
	out := printout{}
	alarm, err := u.firstAlarm(d)
	if err != nil {
		return out, err
	}
	if alarm != nil {
		out.Error = alarm.Next.String()
	}
	var records []transcript.Record
	var from, next transcript.Position
	switch given := v.text("from"); {
	case v.text("at") == "error" && alarm != nil:
		out.At = true
		// Some lines before it, to see how it came to that.
		const before = 20
		_, from, err = u.cfg.Book.Before(d.ID, alarm.Next, before)
		if err == nil {
			records, next, err = u.cfg.Book.Read(d.ID, from, printedLines)
		}
	case given != "":
		if from, err = transcript.ParsePosition(given); err == nil {
			records, next, err = u.cfg.Book.Read(d.ID, from, printedLines)
		}
	case v.text("before") != "":
		var to transcript.Position
		if to, err = transcript.ParsePosition(v.text("before")); err == nil {
			records, from, err = u.cfg.Book.Before(d.ID, to, printedLines)
			next = to
		}
	default:
		records, from, err = u.cfg.Book.Before(d.ID, transcript.End(), printedLines)
		if next = from; len(records) > 0 {
			next = records[len(records)-1].Next
		} else {
			next = transcript.Position{}
		}
		records, from = lastOf(records, from)
		out.Newest = true
	}
	if err != nil {
		return out, err
	}
	return u.describe(d, out, records, from, next)
}

// lastOf drops lines from the beginning until the rest is small enough.
func lastOf(records []transcript.Record, from transcript.Position) ([]transcript.Record, transcript.Position) {
	room := printedBytes
	for i := len(records) - 1; i >= 0; i-- {
		room -= min(len(records[i].Line), longestLine)
		if room < 0 && i < len(records)-1 {
			return records[i+1:], records[i].Next
		}
	}
	return records, from
}

// firstOf drops lines from the end until the rest is small enough.
func firstOf(records []transcript.Record, next transcript.Position) ([]transcript.Record, transcript.Position) {
	room := printedBytes
	for i, r := range records {
		room -= min(len(r.Line), longestLine)
		if room < 0 && i > 0 {
			return records[:i], records[i-1].Next
		}
	}
	return records, next
}

// describe completes a printout of records.
func (u *UI) describe(d deployer.Deployment, out printout, records []transcript.Record, from, next transcript.Position) (printout, error) {
	if !out.Newest {
		records, next = firstOf(records, next)
		more, _, err := u.cfg.Book.Read(d.ID, next, 1)
		if err != nil {
			return out, err
		}
		out.Newest = len(more) == 0
	}
	earlier, _, err := u.cfg.Book.Before(d.ID, from, 1)
	if err != nil {
		return out, err
	}
	out.Earlier = len(earlier) > 0
	out.First, out.Next = from.String(), next.String()
	out.Steps = bySteps(d, records)
	if out.At {
		point(out.Steps, out.Error)
	}
	out.NoOutput = len(records) == 0 && !out.Earlier
	return out, nil
}

// search returns the lines that contain a text, whatever their case.
func (u *UI) search(d deployer.Deployment, find string) (printout, error) {
	out := printout{Find: find}
	var found []transcript.Record
	wanted := strings.ToLower(find)
	err := u.scan(d.ID, transcript.Position{}, func(r transcript.Record) bool {
		if strings.Contains(strings.ToLower(r.Line), wanted) {
			if out.Found++; len(found) < mostFound {
				found = append(found, r)
			}
		}
		return true
	})
	out.Capped = out.Found > len(found)
	found, _ = firstOf(found, transcript.Position{})
	out.Steps = bySteps(d, found)
	return out, err
}

// firstAlarm returns the line that most likely says why a deployment failed, nil
// if it did not, or if there is none: the first that looks like it in the step
// that failed, else the last of that step.
func (u *UI) firstAlarm(d deployer.Deployment) (*transcript.Record, error) {
	step := failedStep(d)
	if step < 0 {
		return nil, nil //nolint:nilnil // nothing failed
	}
	var first, last *transcript.Record
	err := u.scan(d.ID, transcript.Position{Step: step}, func(r transcript.Record) bool {
		if r.Next.Step != step {
			return false
		}
		last = &r
		if alarmRE.MatchString(r.Line) {
			first = &r
		}
		return first == nil
	})
	if first == nil {
		first = last
	}
	return first, err
}

// failedStep is the index of the first step that failed, -1 if none did.
func failedStep(d deployer.Deployment) int {
	for _, s := range d.Steps {
		if s.Error != "" {
			for i, step := range deployer.Steps() {
				if step == s.Step {
					return i
				}
			}
		}
	}
	return -1
}

// scan calls f for each record until it returns false.
func (u *UI) scan(id int64, from transcript.Position, f func(transcript.Record) bool) error {
	const atOnce = 2000
	for {
		records, next, err := u.cfg.Book.Read(id, from, atOnce)
		if err != nil {
			return err
		}
		for _, r := range records {
			if !f(r) {
				return nil
			}
		}
		if len(records) < atOnce {
			return nil
		}
		from = next
	}
}

func bySteps(d deployer.Deployment, records []transcript.Record) []printedStep {
	var steps []printedStep
	for _, r := range records {
		if n := len(steps); n == 0 || steps[n-1].Step != r.Step {
			steps = append(steps, printedStep{Step: r.Step})
		}
		last := &steps[len(steps)-1]
		last.Lines = append(last.Lines, lineOf(d, r))
	}
	return steps
}

// point marks the line with an id.
func point(steps []printedStep, id string) {
	for _, s := range steps {
		for i := range s.Lines {
			s.Lines[i].Here = s.Lines[i].ID == id
		}
	}
}

func lineOf(d deployer.Deployment, r transcript.Record) printedLine {
	return printedLine{
		ID: r.Next.String(), At: elapsed(d, r.Time), Time: r.Time, Err: r.Stream == process.Stderr,
		Alarm: alarmRE.MatchString(r.Line), Text: cut(r.Line, longestLine),
	}
}

// elapsed is when a line was printed, as minutes and seconds since the deployment began.
func elapsed(d deployer.Deployment, t time.Time) string {
	if d.StartedAt == nil {
		return "0:00"
	}
	seconds := int(max(0, t.Sub(*d.StartedAt)).Seconds())
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// cut shortens a line, which may have 256 KiB, without cutting a character in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + " …"
}
