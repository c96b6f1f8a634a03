package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/web"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

// reportsDir is where the web UI looks for load reports.
const reportsDir = "reports"

// webReports shows the load reports below a directory to the web UI. It
// implements [web.Reports]. The id of a report is its path with ~ for /: one run
// lies in a directory of its own, a soak in one for each scenario.
type webReports struct{ dir string }

const (
	reportDepth    = 3         // directories
	largestReport  = 64 << 20  // bytes of one that is shown
	reportHead     = 256 << 10 // bytes in which verdict, reasons and identity must be
	reportsCounted = 2000      // directories that are looked into
)

// reportPart is a directory that may be part of an id: nothing that leads
// somewhere else, and nothing that is hidden.
var reportPart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// List implements [web.Reports].
func (w webReports) List(ctx context.Context, limit int) ([]web.Report, error) {
	var found []web.Report
	looked := 0
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if looked++; err != nil || looked > reportsCounted {
			return cmp.Or(err, fs.SkipAll)
		}
		if path == w.dir || !e.IsDir() {
			return nil
		}
		id, ok := w.id(path)
		if !ok {
			return fs.SkipDir
		}
		if r, err := w.head(id); err == nil {
			found = append(found, r)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list load reports: %w", err)
	}
	slices.SortFunc(found, func(a, b web.Report) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID)) })
	return found[:min(len(found), limit)], nil
}

// id returns the id of the report in a directory, if there may be one.
func (w webReports) id(path string) (string, bool) {
	rel, err := filepath.Rel(w.dir, path)
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if err != nil || len(parts) > reportDepth || slices.ContainsFunc(parts, func(p string) bool { return !reportPart.MatchString(p) }) {
		return "", false
	}
	return strings.Join(parts, "~"), true
}

// open opens a file of a report.
func (w webReports) open(id, name string) (*os.File, error) {
	parts := strings.Split(id, "~")
	none := deployer.Errorf(deployer.CodeNotFound, "there is no such load report")
	if len(parts) > reportDepth || slices.ContainsFunc(parts, func(p string) bool { return !reportPart.MatchString(p) }) {
		return nil, none
	}
	f, err := os.Open(filepath.Join(append([]string{w.dir}, append(parts, name)...)...))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, none
	}
	if err != nil {
		return nil, fmt.Errorf("open load report: %w", err)
	}
	return f, nil
}

// head reads what the list needs, which stands at the beginning: reports of long
// runs are large.
func (w webReports) head(id string) (web.Report, error) {
	f, err := w.open(id, report.JSONFile)
	if err != nil {
		return web.Report{}, err
	}
	defer f.Close()
	var r loadtest.Report
	fields := map[string]any{
		"schema_version": &r.Schema, "verdict": &r.Verdict, "exit_code": &r.Code, "reasons": &r.Reasons, "identity": &r.Identity,
	}
	d := json.NewDecoder(io.LimitReader(f, reportHead))
	if _, err := d.Token(); err != nil {
		return web.Report{}, err
	}
	for len(fields) > 0 && d.More() {
		key, err := d.Token()
		if err != nil {
			return web.Report{}, err
		}
		name, _ := key.(string)
		var field any = new(json.RawMessage)
		if known, ok := fields[name]; ok {
			field = known
			delete(fields, name)
		}
		if err := d.Decode(field); err != nil {
			return web.Report{}, err
		}
	}
	if r.Schema != loadtest.SchemaVersion {
		return web.Report{}, fmt.Errorf("schema version %d", r.Schema)
	}
	return webReport(id, &r), nil
}

// Load implements [web.Reports].
func (w webReports) Load(_ context.Context, id string) (web.Report, error) {
	f, err := w.open(id, report.JSONFile)
	if err != nil {
		return web.Report{}, err
	}
	path := f.Name()
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return web.Report{}, fmt.Errorf("read load report: %w", err)
	}
	if info.Size() > largestReport {
		return web.Report{}, deployer.Errorf(deployer.CodeTooLarge, "the load report is too large to be shown").WithHint("seadog load report shows it")
	}
	r, err := report.Read(path)
	if err != nil {
		return web.Report{}, deployer.Errorf(deployer.CodeConflict, "the load report cannot be read: it is damaged, or of another version").Because(err)
	}
	shown := webReport(id, r)
	if html, err := w.open(id, report.HTMLFile); err == nil {
		shown.HasHTML = true
		_ = html.Close() // it was only looked for
	}
	return shown, nil
}

// HTML implements [web.Reports].
func (w webReports) HTML(_ context.Context, id string) (io.ReadCloser, error) {
	return w.open(id, report.HTMLFile)
}

func webReport(id string, r *loadtest.Report) web.Report {
	shown := web.Report{
		ID: id, Name: r.Identity.Scenario, Time: r.Identity.Started, Seconds: r.Identity.Elapsed.Seconds(),
		Verdict: string(r.Verdict), ExitCode: r.Code,
	}
	for _, why := range r.Reasons {
		shown.Reasons = append(shown.Reasons, why.Text)
	}
	if len(shown.Reasons) == 0 && len(r.Thresholds) > 0 {
		shown.Reasons = []string{report.Deciding(r)}
	}
	for _, t := range r.Thresholds {
		_, limit, _ := strings.Cut(t.Text, ")")
		shown.Rows = append(shown.Rows, web.Threshold{Text: t.Text, Value: t.Shown, Limit: strings.TrimSpace(limit), OK: t.Verdict == loadtest.Pass})
	}
	return shown
}
