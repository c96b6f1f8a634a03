package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/console"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lab"
)

// sabotageVariable makes a service leave out a measure, or do wrong. It is how
// the release gate proves that it would notice: every scenario must fail
// against a service without the countermeasure that it is about. It is in no
// help, and whoever sets it is told so in the log.
const sabotageVariable = "SEADOG_FAULT"

const keySabotage = "sabotage" // of log lines

// What can be sabotaged.
const (
	watchdogOff  = "watchdog-off"  // nothing is given up, nobody is killed or replaced
	gateOff      = "gate-off"      // a worker in which nothing completes accepts all the same
	shedOff      = "shed-off"      // overload refuses nothing
	hangUpsOff   = "hangups-off"   // a request whose client has gone goes on
	recycleOff   = "recycle-off"   // workers grow
	drainOff     = "drain-off"     // lab: a worker that is to go goes at once
	leaseOff     = "lease-off"     // nobody ends what has lost its runner
	deadlinesOff = "deadlines-off" // steps, and questions to the engine and the database, take as long as they take
	consoleOff   = "console-off"   // whoever writes to the log waits for its reader
	earlyAnswer  = "early-answer"  // now and then a webhook is accepted and not written down
	firstCommit  = "first-commit"  // later pushes do not move the deployment that waits
	manyQueries  = "many-queries"  // a list asks for each of its rows
	budgetOff    = "budget-off"    // nobody counts queries
	leakOn       = "leak"          // every request leaves a goroutine and some memory behind
	namingOff    = "naming-off"    // the load tester does not say what a target speaks
)

var sabotages = [...]string{
	watchdogOff, gateOff, shedOff, hangUpsOff, recycleOff, drainOff, leaseOff, deadlinesOff, consoleOff,
	earlyAnswer, firstCommit, manyQueries, budgetOff, leakOn, namingOff,
}

// sabotage is what is sabotaged. The zero value is nothing.
type sabotage []string

// sabotageOf reads the environment; names are divided by commas.
func sabotageOf(e *env) (sabotage, error) {
	var s sabotage
	for name := range strings.SplitSeq(e.Getenv(sabotageVariable), ",") {
		if name == "" {
			continue
		}
		if !slices.Contains(sabotages[:], name) {
			return nil, &exitError{Code: exitUsage, Err: fmt.Errorf("$%s: %q; there are %s", sabotageVariable, name, strings.Join(sabotages[:], ", "))}
		}
		s = append(s, name)
	}
	return s, nil
}

func (s sabotage) has(name string) bool { return slices.Contains(s, name) }

func (s sabotage) String() string { return strings.Join(s, ", ") }

// never is longer than any run.
const never = 1000 * time.Hour

// policy leaves out what the watchdog would do.
func (s sabotage) policy(p watchdog.Policy) watchdog.Policy {
	p.Omit = watchdog.Omission{
		Gate: s.has(gateOff) || s.has(watchdogOff), Shed: s.has(shedOff) || s.has(watchdogOff),
		HangUps: s.has(hangUpsOff) || s.has(watchdogOff),
	}
	if s.has(recycleOff) {
		p.Recycle = watchdog.Recycle{}
	}
	if s.has(watchdogOff) {
		p.Harakiri, p.Slack, p.Mercy, p.Frozen, p.Recycle = never, never, never, never, watchdog.Recycle{}
	}
	return p
}

// service changes what a service is configured to do.
func (s sabotage) service(cfg *config.Config) {
	cfg.Watchdog.Policy = s.policy(cfg.Watchdog.Policy)
	if s.has(watchdogOff) {
		cfg.Watchdog.Spare = false
	}
	if s.has(budgetOff) {
		cfg.Limits.QueryBudget = 1 << 30
	}
	if !s.has(deadlinesOff) {
		return
	}
	for i := range cfg.Projects {
		steps := &cfg.Projects[i].Steps
		for _, t := range []*deployer.Timeout{&steps.Fetch, &steps.Config, &steps.Pull, &steps.Build, &steps.Up, &steps.Health, &steps.Rollback} {
			*t = deployer.Timeout{Deadline: never}
		}
	}
}

// patience is how long something may take that is given limit otherwise.
func (s sabotage) patience(limit time.Duration) time.Duration {
	if s.has(deadlinesOff) {
		return never
	}
	return limit
}

// lab changes what the lab does.
func (s sabotage) lab(c *lab.Config) {
	p := s.policy(watchdog.Policy{Harakiri: c.Harakiri, Mercy: c.Mercy})
	c.Omit = p.Omit
	c.Abrupt = s.has(drainOff)
	if s.has(recycleOff) || s.has(watchdogOff) {
		c.MaxRequests, c.MaxRSS = 0, 0
	}
	if s.has(watchdogOff) {
		c.Bare = true
	}
}

// log returns what a process logs with.
func (s sabotage) log(c *console.Console, w io.Writer) *slog.Logger {
	if s.has(consoleOff) {
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return c.Log()
}

// store returns the store that HTTP workers use.
func (s sabotage) store(store deployer.Store) deployer.Store {
	if s.has(earlyAnswer) || s.has(firstCommit) || s.has(manyQueries) {
		return &spoiledStore{Store: store, sabotage: s, first: map[string]string{}}
	}
	return store
}

// observer returns what is told about requests.
func (s sabotage) observer(o httpd.Observer) httpd.Observer {
	if s.has(leakOn) {
		return &leakyObserver{Observer: o}
	}
	return o
}

// spoiledStore does not keep what it promises.
type spoiledStore struct {
	deployer.Store
	sabotage sabotage

	mu       sync.Mutex
	accepted int
	first    map[string]string // commit by project
}

// lossEvery is how many webhooks one is lost of.
const lossEvery = 97

func (s *spoiledStore) Accept(ctx context.Context, in deployer.Intake) (deployer.Delivery, error) {
	s.mu.Lock()
	s.accepted++
	lose := s.sabotage.has(earlyAnswer) && s.accepted%lossEvery == 0
	if s.sabotage.has(firstCommit) {
		for i, o := range in.Wanted {
			if _, known := s.first[o.Project]; !known {
				s.first[o.Project] = o.Commit
			}
			in.Wanted[i].Commit = s.first[o.Project]
		}
	}
	s.mu.Unlock()
	if !lose || len(in.Wanted) == 0 {
		return s.Store.Accept(ctx, in)
	}
	d := deployer.Delivery{ID: 1 << 40, Hook: in.Hook, Provider: in.Provider, ExternalID: in.ExternalID, Event: in.Event, ReceivedAt: in.ReceivedAt, Bytes: in.Bytes}
	for _, o := range in.Wanted {
		d.Decisions = append(d.Decisions, deployer.Decision{Project: o.Project, Ref: o.Ref, Commit: o.Commit, Verdict: deployer.VerdictQueued, Deployment: 1 << 40})
	}
	return d, nil
}

func (s *spoiledStore) Deployments(ctx context.Context, f deployer.DeploymentFilter) ([]deployer.Deployment, error) {
	list, err := s.Store.Deployments(ctx, f)
	if err != nil || !s.sabotage.has(manyQueries) {
		return list, err
	}
	for i, d := range list {
		if list[i], err = s.Store.Deployment(ctx, d.ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// leakyObserver forgets nothing.
type leakyObserver struct{ httpd.Observer }

func (l *leakyObserver) Request(route string, status int) {
	l.Observer.Request(route, status)
	go func() {
		kept := make([]byte, 4<<10)
		kept[0] = 1
		select {} //nolint:staticcheck // that is the leak
	}()
}
