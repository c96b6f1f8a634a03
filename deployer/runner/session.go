package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/git"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// session is one deployment while it runs.
type session struct {
	r       *Runner
	d       deployer.Deployment
	project deployer.Project
	bounds  deployer.Timeouts
	space   workspace
	log     *slog.Logger
	marker  string

	// owned ends with the lease or with the service. attempt also ends when a
	// person cancels; a rollback runs under owned, so that it still can.
	owned      context.Context
	disown     context.CancelCauseFunc
	attempt    context.Context
	endAttempt context.CancelCauseFunc
	heart      sync.WaitGroup
	stalls     chan bool // the newest change of "the running command is silent", for the heartbeat to report

	out     *transcript.Writer // of the step that runs
	model   compose.Model
	pinned  []deployer.Image // set when images are given rather than built
	touched bool             // a running container may have been changed
}

func (r *Runner) newSession(work context.Context, d deployer.Deployment, log *slog.Logger) *session {
	s := &session{
		r: r, d: d, log: log,
		stalls:  make(chan bool, 1),
		project: r.cfg.Projects[d.Project],
		space:   r.workspace(d.Project),
		marker:  fmt.Sprintf("%d-%s", d.ID, rand.Text()),
	}
	s.bounds = s.project.Steps
	work = deployer.Correlate(work, slog.Int64(deployer.KeyDeployment, d.ID), slog.String(deployer.KeyProject, d.Project))
	s.owned, s.disown = context.WithCancelCause(work)
	s.attempt, s.endAttempt = context.WithCancelCause(s.owned)
	s.heart.Go(s.beat)
	return s
}

// close ends the heartbeat. Nothing of the session runs afterwards.
func (s *session) close() {
	s.disown(context.Canceled)
	s.heart.Wait()
}

// conclude writes the end, again and again while the store does not answer and
// the lease holds; when the service stops, for one lease at most.
func (s *session) conclude(result deployer.Result) error {
	limit := time.Now().Add(s.r.cfg.LeaseTTL)
	for {
		if s.leaseLost() {
			return deployer.ErrLeaseLost
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.owned), storeTimeout)
		err := s.r.finish(ctx, s.d, result)
		cancel()
		if err == nil || errors.Is(err, deployer.ErrLeaseLost) || errors.Is(err, deployer.ErrIllegalMove) ||
			s.owned.Err() != nil && time.Now().After(limit) {
			return err
		}
		s.log.Warn("end of deployment not written yet", deployer.KeyError, err)
		pause(context.WithoutCancel(s.owned), pollInterval)
	}
}

// leaseLost reports whether somebody else may own the deployment by now.
func (s *session) leaseLost() bool {
	return errors.Is(context.Cause(s.owned), deployer.ErrLeaseLost)
}

// beat renews the lease and looks for a request to cancel. A store that does
// not answer for a whole lease means that the lease is lost: the reaper may
// have given the deployment to somebody else.
func (s *session) beat() {
	last := time.Now()
	tick := time.NewTicker(s.r.cfg.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-s.owned.Done():
			return
		case stalled := <-s.stalls:
			_ = s.report(deployer.Progress{Stalled: &stalled})
			continue
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(s.owned, s.r.cfg.LeaseTTL/3)
		d, err := s.r.cfg.Store.Heartbeat(ctx, s.d.ID, s.r.cfg.Owner)
		cancel()
		switch {
		case err == nil:
			last = time.Now()
			if d.CancelBy != "" {
				s.endAttempt(&process.Stop{Cause: deployer.CauseCanceled, Reason: "canceled by " + d.CancelBy})
			}
		case errors.Is(err, deployer.ErrLeaseLost), time.Since(last) > s.r.cfg.LeaseTTL:
			s.disown(deployer.ErrLeaseLost)
			return
		default:
			s.log.Warn("heartbeat failed", deployer.KeyError, err)
		}
	}
}

// step runs one step under its bounds, with a transcript of its own, and
// records its beginning and end.
func (s *session) step(parent context.Context, name deployer.Step, bounds deployer.Timeout, do func(context.Context) error) (err error) {
	over := s.r.cfg.Watch.Step(s.d, name, s.limit(bounds))
	defer func() { over(ended(err)) }()
	run := deployer.StepRun{Step: name, StartedAt: s.r.cfg.Now()}
	if err := s.report(deployer.Progress{Step: &run, Marker: s.marker}); err != nil {
		return err
	}
	out, err := s.r.cfg.Book.Create(s.d.ID, name, s.r.cfg.StepLog, s.r.cfg.Redactor)
	if err != nil {
		return fmt.Errorf("open transcript: %w", err)
	}
	s.out = out

	ctx, cancel := deployer.Correlate(parent, slog.String(deployer.KeyStep, string(name))), context.CancelFunc(func() {})
	if bounds.Deadline > 0 {
		stop := &process.Stop{
			Cause:  deployer.CauseDeadline,
			Reason: fmt.Sprintf("%s took longer than its deadline of %s", name, bounds.Deadline),
		}
		ctx, cancel = context.WithTimeoutCause(ctx, bounds.Deadline, stop)
	}
	defer cancel()

	var failed *fault
	if err := do(ctx); err != nil {
		failed = s.blame(parent, name, diagnose(ctx, name, err))
		run.Error = s.r.cfg.Redactor.String(failed.reason)
		s.say("%s", failed.reason)
	}
	if err := out.Close(); err != nil {
		s.log.Warn("transcript incomplete", deployer.KeyStep, name, deployer.KeyError, err)
	}
	now := s.r.cfg.Now()
	run.FinishedAt = &now
	if err := s.report(deployer.Progress{Step: &run}); err != nil && failed == nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return nil
}

// ended is what a step that returned err counts as.
func ended(err error) deployer.Status {
	var f *fault
	switch {
	case err == nil:
		return deployer.Succeeded
	case errors.As(err, &f):
		return statusOf(f.cause)
	}
	return deployer.Interrupted // the lease is lost, or the disk did not take a transcript
}

// limit is when a step must be over, and all that it started be killed.
func (s *session) limit(bounds deployer.Timeout) time.Duration {
	if bounds.Deadline <= 0 {
		return 0
	}
	return bounds.Deadline + s.bounds.Grace + stepSlack
}

// stepSlack is for what comes with a step but has bounds of its own: reports
// to the store, questions to the engine.
const stepSlack = time.Minute

// blame looks at the engine when a step took too long: a wedged engine is
// named as such, not as the slow build that it looks like.
func (s *session) blame(parent context.Context, step deployer.Step, f *fault) *fault {
	if f.cause != deployer.CauseDeadline && f.cause != deployer.CauseSilence || step == deployer.StepFetch || parent.Err() != nil {
		return f
	}
	// Every call of the engine has a deadline of its own.
	if _, err := s.r.cfg.Engine.Probe(context.WithoutCancel(parent)); err != nil {
		return &fault{deployer.CauseEngineWedged, fmt.Sprintf("%s; %s", f.reason, err), f}
	}
	return f
}

// report writes progress. A store that does not answer is no reason to stop a
// deployment: the heartbeat decides that.
func (s *session) report(p deployer.Progress) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.owned), storeTimeout)
	defer cancel()
	err := s.r.cfg.Store.Report(ctx, s.d.ID, s.r.cfg.Owner, p)
	if errors.Is(err, deployer.ErrLeaseLost) {
		s.disown(deployer.ErrLeaseLost)
		return err
	}
	if err != nil {
		s.log.Warn("progress not recorded", deployer.KeyError, err)
	}
	return nil
}

// say writes a remark of our own into the transcript.
func (s *session) say(format string, args ...any) {
	s.out.Line(process.Stdout, fmt.Appendf(nil, format, args...))
}

// exec is what git and Compose run their commands through: it adds the marker,
// the silence limit of the step and the transcript.
func (s *session) exec(bounds deployer.Timeout) process.Exec {
	return func(ctx context.Context, c process.Command) (process.Exit, error) {
		c.Marker = s.marker
		c.Timeout.Silence = bounds.Silence
		c.Grace = s.bounds.Grace
		if c.Line == nil { // what somebody else reads is an answer, and may hold values that no transcript should
			c.Line = s.out.Line
		}
		c.Stalled = s.noteStall
		c.Group = s.r.cfg.Watch.Group
		return s.r.cfg.Exec(ctx, c)
	}
}

// noteStall hands a change to the heartbeat, the newest one if it is busy.
func (s *session) noteStall(stalled bool) {
	select {
	case <-s.stalls:
	default:
	}
	s.stalls <- stalled
}

func (s *session) mirror(bounds deployer.Timeout) git.Mirror {
	return git.Mirror{Dir: s.space.mirror(), Remote: s.project.Repository, Exec: s.exec(bounds), Env: s.r.cfg.GitEnv}
}
