package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/deployer/cluster"
	"github.com/seadog/seadog/loadtest"
	loadrun "github.com/seadog/seadog/loadtest/run"
)

// Config says what is run, and how.
type Config struct {
	Executable string // the seadog binary under test
	Out        io.Writer
	Dir        string   // of the reports
	Profile    Profile  // how long
	Store      string   // "sqlite" or "postgres"
	Only       []string // scenarios by name; nil: all
	// Sabotage is left out of every service, for proofs; see the environment
	// variable SEADOG_FAULT.
	Sabotage string
	// Options of all runs, with what only the program knows how to do.
	Options loadrun.Options
	Getenv  func(string) string
	// Watch has a scenario's run shown while it goes, and its verdict when it is
	// over; nil: nobody looks.
	Watch func(*loadtest.Scenario, *loadrun.Options) (over func(loadtest.Verdict), err error)
	Log   *slog.Logger
}

// gate is one run of the suite.
type gate struct {
	Config
	scratch string // everything that goes with it
	image   string // of all sites; also the beginning of all names in the engine
	cluster *cluster.Cluster
	current *service // that scenarios share
	steady  *steady  // nil: there is none
}

// Run runs the suite and returns its verdict: that of the worst scenario. The
// error says that it could not be run. Reports are in c.Dir, the table is on c.Out.
func Run(ctx context.Context, c Config) (v loadtest.Verdict, err error) {
	list, err := c.suite()
	if err != nil {
		return loadtest.Usage, err
	}
	scratch, err := os.MkdirTemp("", "seadog-gate-")
	if err != nil {
		return loadtest.Internal, err
	}
	g := &gate{Config: c, scratch: scratch, image: "seadog-gate-" + scene.RandomHex(4)}
	defer func() { // also after ^C
		if left := g.clear(context.WithoutCancel(ctx)); left != nil {
			err = errors.Join(err, fmt.Errorf("clean up: %w", left))
		}
	}()
	if err := g.prepare(ctx, list); err != nil {
		return loadtest.Internal, err
	}
	return g.run(ctx, list)
}

// prepare makes what all scenarios share.
func (g *gate) prepare(ctx context.Context, list []*entry) error {
	if err := os.MkdirAll(g.Dir, 0o755); err != nil {
		return err
	}
	serves := func(e *entry) bool { return e.wanted.kind == "serve" }
	if !slices.ContainsFunc(list, serves) {
		return nil
	}
	if err := buildImage(ctx, filepath.Join(g.scratch, "image"), g.image, g.Executable); err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(e *entry) bool { return e.scenario.Name == besideWhich }) {
		return nil
	}
	var err error
	g.steady, err = g.startSteady(ctx)
	return err
}

// besideWhich is the scenario whose long form the steady service is.
const besideWhich = "health-30s"

// postgres returns the cluster, which is started when it is first needed.
func (g *gate) postgres(ctx context.Context) (*cluster.Cluster, error) {
	if g.cluster == nil {
		var err error
		if g.cluster, err = cluster.Start(ctx); err != nil {
			return nil, err
		}
	}
	return g.cluster, nil
}

// clear stops and removes everything.
func (g *gate) clear(ctx context.Context) error {
	var errs []error
	if g.steady != nil {
		g.steady.end(g)
		errs = append(errs, g.steady.service.stop(ctx))
	}
	if g.current != nil {
		errs = append(errs, g.current.stop(ctx))
	}
	if g.cluster != nil {
		errs = append(errs, g.cluster.Remove())
	}
	if exec.CommandContext(ctx, "docker", "image", "inspect", g.image).Run() == nil {
		if out, err := exec.CommandContext(ctx, "docker", "image", "rm", "--force", g.image).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("remove the image of the sites: %w: %s", err, out))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(g.scratch))...)
}
