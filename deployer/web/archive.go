package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// archive is the history of load reports.
type archive struct {
	Missing bool // there is nowhere to look for them
	Reports []Report
}

const reportsShown = 100

// reports answers GET /reports, and with ?a=ID&b=ID compares two.
func (u *UI) reports(v *visit) error {
	if u.cfg.Reports == nil {
		return u.send(v, "reports", frame{Title: "Load reports", Area: "reports", Data: archive{Missing: true}})
	}
	if a, b := v.text("a"), v.text("b"); a != "" && b != "" {
		return u.compare(v, a, b)
	}
	list, err := u.cfg.Reports.List(v.Context(), reportsShown)
	if err != nil {
		return err
	}
	return u.send(v, "reports", frame{Title: "Load reports", Area: "reports", Data: archive{Reports: list}})
}

// report answers GET /reports/{id}.
func (u *UI) report(v *visit) error {
	found, err := u.loadReport(v, v.c.Params("id"))
	if err != nil {
		return err
	}
	return u.send(v, "report", frame{Title: found.Name, Area: "reports", Data: found})
}

func (u *UI) loadReport(v *visit, id string) (Report, error) {
	if u.cfg.Reports == nil {
		return Report{}, deployer.Errorf(deployer.CodeNotFound, "there are no load reports here")
	}
	return u.cfg.Reports.Load(v.Context(), strings.Clone(id))
}

// comparison is two reports side by side.
type comparison struct {
	A, B Report
	Rows []comparedRow
}

type comparedRow struct {
	Text string
	A, B *Threshold // nil: that report does not have it
}

func (u *UI) compare(v *visit, a, b string) error {
	var c comparison
	var err error
	if c.A, err = u.loadReport(v, a); err != nil {
		return err
	}
	if c.B, err = u.loadReport(v, b); err != nil {
		return err
	}
	if c.B.Time.Before(c.A.Time) {
		c.A, c.B = c.B, c.A
	}
	c.Rows = sideBySide(c.A.Rows, c.B.Rows)
	return u.send(v, "comparison", frame{Title: "Two load reports", Area: "reports", Data: c})
}

// sideBySide puts the thresholds that have the same text together, in the order
// of b, and then those that only a has.
func sideBySide(a, b []Threshold) []comparedRow {
	left := make(map[string]*Threshold, len(a))
	for i := range a {
		left[a[i].Text] = &a[i]
	}
	var rows []comparedRow
	for i := range b {
		rows = append(rows, comparedRow{Text: b[i].Text, A: left[b[i].Text], B: &b[i]})
		delete(left, b[i].Text)
	}
	for i := range a {
		if t := left[a[i].Text]; t != nil {
			rows = append(rows, comparedRow{Text: t.Text, A: t})
		}
	}
	return rows
}

// reportPolicy is that of report.html, which brings its own scripts and styles:
// in a sandbox it has an origin of its own, and reaches neither our cookie nor
// any host.
const reportPolicy = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; " +
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// reportHTML answers GET /reports/{id}/report.html.
func (u *UI) reportHTML(v *visit) error {
	found, err := u.loadReport(v, v.c.Params("id"))
	if err != nil {
		return err
	}
	html, err := u.cfg.Reports.HTML(v.Context(), found.ID)
	if err != nil {
		return err
	}
	v.c.Set(fiber.HeaderContentSecurityPolicy, reportPolicy)
	err = v.Stream(fiber.MIMETextHTMLCharsetUTF8, func(st *httpd.Stream) error { return pour(st, html) })
	if err != nil {
		_ = html.Close()
	}
	return err
}
