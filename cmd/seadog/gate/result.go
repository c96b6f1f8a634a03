package gate

import (
	_ "embed"
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

const (
	suiteFile = "suite.json"
	indexFile = "index.html"
)

// result is what a run of the suite found, and what it judged.
type result struct {
	Schema  int              `json:"schema_version"`
	Profile string           `json:"profile"`
	Verdict loadtest.Verdict `json:"verdict"`
	Code    int              `json:"exit_code"`
	Version string           `json:"version"` // of the build that was judged
	Store   string           `json:"store"`
	Without string           `json:"without,omitempty"` // countermeasures, see [Config]
	Began   time.Time        `json:"began"`
	Took    time.Duration    `json:"took_ns"`
	Rows    []row            `json:"scenarios"`
}

// write writes the result for machines, for browsers and for build servers.
func (r result) write(dir string, reports []*loadtest.Report) error {
	for name, write := range map[string]func(io.Writer) error{
		suiteFile: func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			return enc.Encode(r)
		},
		indexFile:        func(w io.Writer) error { return index.Execute(w, r) },
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

//go:embed index.html
var indexText string

var index = template.Must(template.New("index").Funcs(template.FuncMap{
	"took": took, "tone": report.Tone, "style": report.Style,
	"report": func() string { return report.HTMLFile },
}).Parse(indexText))
