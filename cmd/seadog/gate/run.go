package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
	"github.com/seadog/seadog/loadtest/report"
	loadrun "github.com/seadog/seadog/loadtest/run"
	"github.com/seadog/seadog/loadtest/spec"
)

// row is what the table says of a scenario.
type row struct {
	Name    string           `json:"scenario"`
	Verdict loadtest.Verdict `json:"verdict"`
	Code    int              `json:"exit_code"`
	Decided string           `json:"decided"`
	Tries   int              `json:"tries"`
	Took    time.Duration    `json:"took_ns"`
	Report  string           `json:"report,omitempty"` // directory, relative to the suite's
}

// run runs one scenario after the other.
func (g *gate) run(ctx context.Context, list []*entry) (loadtest.Verdict, error) {
	if !g.Options.Uncalibrated {
		if err := g.calibrate(ctx, list); err != nil {
			return loadtest.Internal, err
		}
	}
	t, began := newTable(g.Out), time.Now()
	var rows []row
	var reports []*loadtest.Report
	for i, e := range list {
		if ctx.Err() != nil {
			break
		}
		start := time.Now()
		r, tries, err := g.valid(ctx, e)
		if err != nil {
			return loadtest.Internal, fmt.Errorf("scenario %s: %w", e.scenario.Name, err)
		}
		reports = append(reports, r)
		rows = append(rows, rowOf(r, tries, time.Since(start)))
		t.end(rows[len(rows)-1])
		if err := g.leave(ctx, list[i+1:]); err != nil {
			return loadtest.Internal, fmt.Errorf("after scenario %s: %w", e.scenario.Name, err)
		}
	}
	if r, err := g.judgeSteady(ctx); err != nil {
		return loadtest.Internal, err
	} else if r != nil {
		reports, rows = append(reports, r), append(rows, rowOf(r, 1, r.Identity.Elapsed))
		t.end(rows[len(rows)-1])
	}
	v := verdictOf(ctx, rows)
	all := result{
		Schema: 1, Profile: g.Profile.Name, Verdict: v, Code: v.Code(), Version: g.Options.Version, Store: g.Store, Without: g.Sabotage,
		Began: began, Took: time.Since(began), Rows: rows,
	}
	t.close(all, g.Dir)
	return v, all.write(g.Dir, reports)
}

func rowOf(r *loadtest.Report, tries int, took time.Duration) row {
	return row{r.Identity.Scenario, r.Verdict, r.Code, report.Deciding(r), tries, took, r.Identity.Scenario}
}

// Why is what the verdict rests on, on one line.
func (r row) Why() string {
	why := strings.ReplaceAll(r.Decided, "\n", " ")
	if r.Tries > 1 {
		why += " (second try, the first was INVALID)"
	}
	return why
}

// verdictOf is the worst of all rows.
func verdictOf(ctx context.Context, rows []row) loadtest.Verdict {
	var reasons []loadtest.Reason
	for _, r := range rows {
		if r.Code != 0 {
			reasons = append(reasons, loadtest.Reason{Verdict: r.Verdict})
		}
	}
	if stopped := new(loadrun.Stopped); errors.As(context.Cause(ctx), &stopped) {
		reasons = append(reasons, loadtest.Reason{Verdict: stopped.Verdict})
	}
	return loadtest.Decide(reasons)
}

// valid runs one scenario, and once more if the generator was at fault: that says
// something about this machine at that moment, and nothing about the service. The
// second try has a new one: what the first did to it is no part of the scenario,
// and the master lets runners rest that were killed twice as often. Report and
// table say so; the report of the first try is kept beside it.
func (g *gate) valid(ctx context.Context, e *entry) (r *loadtest.Report, tries int, err error) {
	first, err := g.scenario(ctx, e)
	if err != nil || first.Verdict != loadtest.Invalid || ctx.Err() != nil || g.Sabotage != "" {
		return first, 1, err
	}
	dir := filepath.Join(g.Dir, e.scenario.Name)
	if err := os.Rename(dir, dir+"-invalid"); err != nil {
		return nil, 1, fmt.Errorf("keep the report of the first try: %w", err)
	}
	if err := g.leave(ctx, nil); err != nil {
		return nil, 1, fmt.Errorf("end the service of the first try: %w", err)
	}
	second, err := g.scenario(ctx, e)
	if err != nil {
		return nil, 2, err
	}
	second.Notes = append(second.Notes, "this is the second try; the first was INVALID: "+report.Deciding(first))
	return second, 2, report.Write(dir, second)
}

// scenario runs one scenario against the service that it wants.
func (g *gate) scenario(ctx context.Context, e *entry) (*loadtest.Report, error) {
	s, err := g.enter(ctx, e.wanted)
	if err != nil {
		return nil, err
	}
	sc := e.scenario
	s.aim(sc)
	o := g.Options
	o.Log, o.Dir, o.Calibration = g.Log, filepath.Join(g.Dir, sc.Name), g.Options.Calibration
	o.Roots, o.Pool, o.Network = []int{s.child.PID()}, s.pool, s.network()
	if s.kind == "serve" {
		o.Incidents = loadtest.Endpoint{URL: s.url + "/api/v1/incidents", Header: s.header()}
	}
	over := func(loadtest.Verdict) {}
	if g.Watch != nil {
		if over, err = g.Watch(sc, &o); err != nil {
			return nil, err
		}
	}
	r, err := loadrun.Run(ctx, sc, o)
	if err != nil {
		over(loadtest.Internal)
		return nil, err
	}
	defer func() { over(r.Verdict) }()
	if ctx.Err() == nil && r.Identity.Elapsed > 0 { // nothing was sent otherwise
		g.check(ctx, e, s, r)
	}
	s.note(ctx, o.Dir)
	return r, report.Write(o.Dir, r)
}

// check looks for what no threshold can see.
func (g *gate) check(ctx context.Context, e *entry, s *service, r *loadtest.Report) {
	for _, c := range e.checks {
		if err := c.look(ctx, s, r); err != nil {
			r.Reasons = append(r.Reasons, loadtest.Reason{Verdict: c.verdict, Text: c.name + ": " + err.Error()})
		}
	}
	r.Verdict = loadtest.Decide(r.Reasons)
	r.Code = r.Verdict.Code()
}

// enter returns a service that is as wanted: the one that runs, or a new one.
func (g *gate) enter(ctx context.Context, w wanted) (*service, error) {
	if g.current != nil {
		if g.current.key() == w.key() && g.current.alive() {
			return g.current, nil
		}
		return nil, errors.New("the service of the scenario before still runs")
	}
	s, err := g.start(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	g.current = s
	return s, nil
}

// leave stops the service unless the next scenario wants the same one.
func (g *gate) leave(ctx context.Context, next []*entry) error {
	s := g.current
	if len(next) > 0 && next[0].wanted.key() == s.key() && ctx.Err() == nil && s.alive() {
		return nil
	}
	g.current = nil
	return s.stop(context.WithoutCancel(ctx))
}

// judgeSteady ends the steady service, and returns what is known about it; nil
// if there is none, or too little is known for whoever wanted some scenarios only.
func (g *gate) judgeSteady(ctx context.Context) (*loadtest.Report, error) {
	if g.steady == nil {
		return nil, nil
	}
	st := g.steady
	g.steady = nil
	r := st.end(g)
	if err := st.service.stop(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil || len(g.Only) > 0 && r.Verdict == loadtest.Inconclusive {
		return nil, nil
	}
	return r, report.Write(filepath.Join(g.Dir, r.Identity.Scenario), r)
}

// share is how much of what this machine can send the suite sends at most: the
// service is on the same one.
const share = 0.4

// calibrate finds out once what this machine can send, and makes rates smaller
// where they would be more than its share.
func (g *gate) calibrate(ctx context.Context, list []*entry) error {
	var highest *loadtest.Scenario
	peak := 0.0
	for _, e := range list {
		p, err := spec.NewPlan(e.scenario)
		if err != nil {
			return err
		}
		if p.Peak > peak {
			highest, peak = e.scenario, p.Peak
		}
	}
	if highest == nil {
		return nil
	}
	// Calibration tries 1.25 × the peak; twice that is 1/share.
	scaled := *highest
	scaled.Phases = append([]loadtest.Phase{}, highest.Phases...)
	for i := range scaled.Phases {
		scaled.Phases[i].Scale *= 2
	}
	c, err := attack.Calibrate(ctx, &scaled, g.Log)
	if err != nil || ctx.Err() != nil {
		return nil // without one; the generator's own rules still hold
	}
	if !c.OK && c.Can > 0 {
		slow(list, share*c.Can)
		c = loadtest.Calibration{Rate: share * c.Can, Achieved: c.Can, OK: true}
	}
	g.Options.Calibration, g.Options.Uncalibrated = &c, false
	return nil
}

// slow makes the rates of scenarios smaller whose peak is above most.
func slow(list []*entry, most float64) {
	for _, e := range list {
		p, err := spec.NewPlan(e.scenario)
		if err != nil || p.Peak <= most {
			continue
		}
		for i := range e.scenario.Phases {
			e.scenario.Phases[i].Scale *= most / p.Peak
		}
	}
}
