package gate

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

// table is what a person sees: a line for each scenario, as it ends.
type table struct {
	out   io.Writer
	began time.Time
}

const tableLine = "%-20s  %-18s  %6s  %s\n"

// newTable begins a table with its head.
func newTable(out io.Writer) *table {
	fmt.Fprintf(out, tableLine, "SCENARIO", "VERDICT", "TOOK", "DECIDED BY")
	return &table{out: out, began: time.Now()}
}

func (t *table) end(r row) {
	fmt.Fprintf(t.out, tableLine, r.Name, r.Verdict, took(r.Took), r.Why())
}

func (t *table) close(v loadtest.Verdict, dir string) {
	fmt.Fprintf(t.out, "\n%s, exit code %d, after %s; reports: %s\n", v, v.Code(), took(time.Since(t.began)), filepath.Join(dir, indexFile))
}

func took(d time.Duration) string { return d.Round(time.Second).String() }

const (
	suiteFile = "suite.json"
	indexFile = "index.html"
)

// writeSuite writes what the table says for machines, for browsers and for build servers.
func writeSuite(dir, profile string, v loadtest.Verdict, rows []row, reports []*loadtest.Report) error {
	suite := struct {
		Schema  int              `json:"schema_version"`
		Profile string           `json:"profile"`
		Verdict loadtest.Verdict `json:"verdict"`
		Code    int              `json:"exit_code"`
		Ended   time.Time        `json:"ended"`
		Rows    []row            `json:"scenarios"`
	}{1, profile, v, v.Code(), time.Now(), rows}
	for name, write := range map[string]func(io.Writer) error{
		suiteFile: func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			return enc.Encode(suite)
		},
		indexFile:        func(w io.Writer) error { return index.Execute(w, suite) },
		report.JUnitFile: func(w io.Writer) error { return report.JUnit(w, reports...) },
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

var index = template.Must(template.New("index").Funcs(template.FuncMap{"took": took, "report": func() string { return report.HTMLFile }}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>soak {{.Profile}}: {{.Verdict}}</title>
<style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #8884;vertical-align:top}td.n{white-space:nowrap}
</style></head><body>
<h1>{{.Verdict}}</h1><p>soak {{.Profile}}, {{.Ended.Format "2006-01-02 15:04:05 MST"}}, exit code {{.Code}}</p>
<table><thead><tr><th>scenario</th><th>verdict</th><th>took</th><th>decided by</th></tr></thead><tbody>
{{range .Rows}}<tr><td class="n">{{if .Report}}<a href="{{.Report}}/{{report}}">{{.Name}}</a>{{else}}{{.Name}}{{end}}</td><td class="n">{{.Verdict}}</td><td class="n">{{took .Took}}</td><td>{{.Why}}</td></tr>
{{end}}</tbody></table></body></html>
`))
