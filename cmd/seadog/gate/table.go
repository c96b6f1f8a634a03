package gate

import (
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// table is what a person sees: a line for each scenario, as it ends.
type table struct{ out io.Writer }

const tableLine = "%-20s  %-18s  %6s  %s\n"

// newTable begins a table with its head.
func newTable(out io.Writer) *table {
	fmt.Fprintf(out, tableLine, "SCENARIO", "VERDICT", "TOOK", "DECIDED BY")
	return &table{out}
}

func (t *table) end(r row) {
	fmt.Fprintf(t.out, tableLine, r.Name, r.Verdict, took(r.Took), r.Why())
}

func (t *table) close(r result, dir string) {
	fmt.Fprintf(t.out, "\n%s, exit code %d, after %s; reports: %s\n", r.Verdict, r.Code, took(r.Took), filepath.Join(dir, indexFile))
}

func took(d time.Duration) string { return d.Round(time.Second).String() }
