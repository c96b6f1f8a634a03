package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Names of the files in a report's directory. Evidence lies beside them.
const (
	JSONFile  = "report.json"
	HTMLFile  = "report.html"
	JUnitFile = "junit.xml"
)

// maxReport is how large a report.json may be that is read.
const maxReport = 256 << 20

// Write writes all three reports into dir, which is made if it is not there.
func Write(dir string, r *loadtest.Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the report's directory: %w", err)
	}
	for name, write := range map[string]func(io.Writer, *loadtest.Report) error{
		JSONFile: JSON, HTMLFile: HTML, JUnitFile: func(w io.Writer, r *loadtest.Report) error { return JUnit(w, r) },
	} {
		if err := replace(filepath.Join(dir, name), func(w io.Writer) error { return write(w, r) }); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// replace writes a file and moves it to its name.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it has been moved
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// JSON writes r as report.json has it: what the schema requires is there, empty
// if there is nothing, and never null.
func JSON(w io.Writer, r *loadtest.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(complete(r))
}

// complete returns r without nil lists and maps where the schema requires some.
func complete(r *loadtest.Report) *loadtest.Report {
	c := *r
	c.Reasons, c.Phases, c.Thresholds, c.Series = some(c.Reasons), some(c.Phases), some(c.Thresholds), some(c.Series)
	c.Generator.Rules = some(c.Generator.Rules)
	c.Traffic = some(slices.Clone(c.Traffic))
	for i := range c.Traffic {
		t := &c.Traffic[i]
		for _, m := range []*map[string]uint64{&t.Outcomes, &t.Statuses, &t.Variants} {
			if *m == nil {
				*m = map[string]uint64{}
			}
		}
		for _, p := range []*loadtest.Percentiles{&t.Response, &t.Service, &t.TTFB, &t.SelfLag, &t.SlotWait} {
			p.Points = some(p.Points)
		}
	}
	c.Server = slices.Clone(c.Server)
	for i := range c.Server {
		c.Server[i].Points = some(c.Server[i].Points)
	}
	return &c
}

func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Read reads a report.json, or that of a report's directory. It refuses a
// version of the schema that it does not know.
func Read(path string) (*loadtest.Report, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, JSONFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r loadtest.Report
	if err := json.NewDecoder(io.LimitReader(f, maxReport)).Decode(&r); err != nil {
		return nil, fmt.Errorf("read %s: it is no report: %w", path, err)
	}
	if r.Schema != loadtest.SchemaVersion {
		return nil, fmt.Errorf("read %s: schema version %d; this program reads %d", path, r.Schema, loadtest.SchemaVersion)
	}
	return &r, nil
}

// Deciding says in a few words what decided: the first reason, or of a run that
// passed the threshold that came nearest to its limit. One without thresholds
// says it in its first note.
func Deciding(r *loadtest.Report) string {
	if len(r.Reasons) > 0 {
		return r.Reasons[0].Text
	}
	if len(r.Thresholds) == 0 && len(r.Notes) > 0 {
		return r.Notes[0]
	}
	var nearest *loadtest.ThresholdResult
	for i := range r.Thresholds {
		t := &r.Thresholds[i]
		if t.Known && t.Limit != 0 && (nearest == nil || t.Margin < nearest.Margin) {
			nearest = t
		}
	}
	if nearest == nil {
		return "every threshold held"
	}
	what, limit, _ := cut(nearest.Text)
	return fmt.Sprintf("%s is %s, %s", what, nearest.Shown, limit)
}

// cut splits a threshold before its comparison. Labels hold an = of their own.
func cut(text string) (what, limit string, ok bool) {
	i := strings.IndexByte(text, ')') + 1
	if i == 0 || i == len(text) {
		return text, "", false
	}
	return text[:i], strings.TrimSpace(text[i:]), true
}
