package runner_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/runner"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/transcript"
)

// forgetful is a store that carries a call out, or not, and answers with an
// error once; or one that goes away with the next claim, and comes back when
// its runner asks what it left running.
type forgetful struct {
	*sqlite.Store
	claim, finish atomic.Bool
	leaves, away  atomic.Bool
}

var errNoAnswer = errors.New("no answer")

func (f *forgetful) Claim(ctx context.Context, o deployer.Owner, projects []string) (deployer.Deployment, error) {
	d, err := f.Store.Claim(ctx, o, projects)
	if err == nil && f.claim.Swap(false) {
		return deployer.Deployment{}, errNoAnswer
	}
	if err == nil && f.leaves.Swap(false) {
		f.away.Store(true)
	}
	return d, err
}

func (f *forgetful) Heartbeat(ctx context.Context, id int64, o deployer.Owner) (deployer.Deployment, error) {
	if f.away.Load() {
		return deployer.Deployment{}, errNoAnswer
	}
	return f.Store.Heartbeat(ctx, id, o)
}

func (f *forgetful) Abandoned(ctx context.Context) ([]deployer.Deployment, error) {
	f.away.Store(false)
	return f.Store.Abandoned(ctx)
}

func (f *forgetful) Finish(ctx context.Context, id int64, o deployer.Owner, r deployer.Result) (deployer.Deployment, error) {
	if f.finish.Swap(false) || f.away.Load() {
		return deployer.Deployment{}, errNoAnswer
	}
	return f.Store.Finish(ctx, id, o, r)
}

// run starts a runner on store. Its only project has no configuration, so that
// every deployment fails at once: what is tested is what becomes of that. Its
// lease lasts for ttl; the usual time if 0.
func run(t *testing.T, store *forgetful, ttl time.Duration) {
	t.Helper()
	self, err := process.Self("")
	if err != nil {
		t.Fatal(err)
	}
	docker, err := engine.New(engine.Config{Host: "unix:///nowhere", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := runner.New(runner.Config{
		Owner: self, Store: store, Engine: docker, Projects: map[string]deployer.Project{"site": {}},
		Data: t.TempDir(), Book: transcript.Book{Dir: t.TempDir()}, Redactor: transcript.NewRedactor(), Exec: process.Run,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Heartbeat: ttl / 10, LeaseTTL: ttl,
		Wait: func(ctx context.Context, _ time.Duration) {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- r.Run(ctx, ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
		if err := docker.Close(); err != nil {
			t.Error(err)
		}
	})
}

func openForgetful(t *testing.T) *forgetful {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &forgetful{Store: store}
}

// ended waits for the end of the newest deployment.
func ended(t *testing.T, store *forgetful, want int) []deployer.Deployment {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		list, err := store.Deployments(t.Context(), deployer.DeploymentFilter{Project: "site"})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == want && list[0].Status.Final() {
			return list
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatalf("there are no %d deployments that ended", want)
	return nil
}

func TestAnEndThatWasNotWrittenIsWrittenAgain(t *testing.T) {
	t.Parallel()
	store := openForgetful(t)
	store.finish.Store(true)
	run(t, store, 0)
	if _, _, err := store.Enqueue(t.Context(), deployer.Order{Project: "site", Trigger: deployer.TriggerManual, Ref: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	if got := ended(t, store, 1)[0]; got.Status != deployer.Failed || got.Cause != deployer.CauseInvalidProject {
		t.Errorf("ended as %s (%s): %s; want the end that it had", got.Status, got.Cause, got.Reason)
	}
}

func TestAClaimWithoutAnAnswerIsSettled(t *testing.T) {
	t.Parallel()
	store := openForgetful(t)
	theirs := claimedByAnother(t, store)
	store.claim.Store(true)
	run(t, store, 0)
	if _, _, err := store.Enqueue(t.Context(), deployer.Order{Project: "site", Trigger: deployer.TriggerManual, Ref: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	list := ended(t, store, 2)
	if first := list[1]; first.Status != deployer.Interrupted || first.Outcome != deployer.OutcomeUntouched {
		t.Errorf("the claimed one ended as %s (%s): %s; want interrupted (untouched)", first.Status, first.Outcome, first.Reason)
	}
	if retry := list[0]; retry.Status != deployer.Failed || retry.Attempt != 2 {
		t.Errorf("its retry ended as %s, attempt %d: %s; want failed, 2", retry.Status, retry.Attempt, retry.Reason)
	}
	if d, err := store.Deployment(t.Context(), theirs); err != nil || d.Status != deployer.Running {
		t.Errorf("that of another runner is %s (error %v), want running", d.Status, err)
	}
}

// claimedByAnother returns a deployment that another runner runs.
func claimedByAnother(t *testing.T, store *forgetful) int64 {
	t.Helper()
	if _, _, err := store.Enqueue(t.Context(), deployer.Order{Project: "other", Trigger: deployer.TriggerManual, Ref: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	d, err := store.Store.Claim(t.Context(), deployer.Owner{Node: "other", Boot: "b", PID: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.ID
}

func TestAnEndThatIsNotWrittenWhileTheLeaseLastsIsSettled(t *testing.T) {
	t.Parallel()
	store := openForgetful(t)
	store.leaves.Store(true)
	run(t, store, 200*time.Millisecond)
	if _, _, err := store.Enqueue(t.Context(), deployer.Order{Project: "site", Trigger: deployer.TriggerManual, Ref: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	list := ended(t, store, 2)
	if first, retry := list[1], list[0]; first.Status != deployer.Interrupted || first.Cause != deployer.CauseLeaseExpired || retry.Attempt != 2 {
		t.Errorf("ended as %s (%s): %s; and attempt %d; want interrupted (lease_expired), and attempt 2", first.Status, first.Cause, first.Reason, retry.Attempt)
	}
}
