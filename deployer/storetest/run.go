// Package storetest holds what every [deployer.Store] must be able to do, as an
// exported battery of tests that each implementation runs, and a throw-away
// PostgreSQL to run it on.
//
// It starts no goroutine that outlives a test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/deployer"
)

// Open returns a function that opens a store. Its first call opens an empty
// one; further calls open the same data again, as another process would.
type Open func(t *testing.T) func() deployer.Store

type fact struct {
	name string
	test func(*testing.T, func() deployer.Store)
}

// Run runs the battery.
func Run(t *testing.T, open Open) {
	groups := []struct {
		name  string
		facts []fact
	}{
		{"intake", intakeFacts()},
		{"queue", queueFacts()},
		{"lease", leaseFacts()},
		{"lock", lockFacts()},
		{"crowd", crowdFacts()},
		{"record", recordFacts()},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, f := range g.facts {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					f.test(t, open(t))
				})
			}
		})
	}
}

// worker is an owner for tests; each number is another process.
func worker(n int) deployer.Owner {
	return deployer.Owner{Node: "node", Boot: "boot", PID: 1000 + n, Started: uint64(77 + n)}
}

// commit returns a full object name.
func commit(n int) string { return fmt.Sprintf("%040x", n+1) }

// push is an order for the n-th commit of a branch.
func push(project, branch string, n int) deployer.Order {
	return deployer.Order{
		Project: project, Trigger: deployer.TriggerPush, Ref: "refs/heads/" + branch,
		Commit: commit(n), Message: fmt.Sprintf("change %d", n), By: "octocat",
	}
}

// hook is a delivery of pushes. An empty id makes it unrepeatable.
func hook(id string, wanted ...deployer.Order) deployer.Intake {
	return deployer.Intake{
		Hook: "hook", Provider: deployer.GitHub, ExternalID: id, Event: "push", Bytes: 7000, Wanted: wanted,
		ReceivedAt: time.Now(),
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (code %s)", err, deployer.CodeOf(err))
	}
}

func wantCode(t *testing.T, err error, code deployer.Code) {
	t.Helper()
	if got := deployer.CodeOf(err); got != code {
		t.Fatalf("error %v has code %q, want %q", err, got, code)
	}
}

func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got %v, want %v", err, target)
	}
}

func equal[T any](t *testing.T, got, want T, opts ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, append(opts, cmpopts.EquateEmpty())...); d != "" {
		t.Fatalf("-want +got\n%s", d)
	}
}

// accept records a delivery and returns its only decision.
func accept(t *testing.T, s deployer.Store, in deployer.Intake) deployer.Decision {
	t.Helper()
	d := must[deployer.Delivery](t)(s.Accept(t.Context(), in))
	if len(d.Decisions) != 1 {
		t.Fatalf("%d decisions, want 1", len(d.Decisions))
	}
	return d.Decisions[0]
}

func enqueue(t *testing.T, s deployer.Store, o deployer.Order) deployer.Deployment {
	t.Helper()
	d, _, err := s.Enqueue(t.Context(), o)
	ok(t, err)
	return d
}

func claim(t *testing.T, s deployer.Store, owner deployer.Owner, projects ...string) deployer.Deployment {
	t.Helper()
	d, err := s.Claim(t.Context(), owner, projects)
	ok(t, err)
	return d
}

func finish(t *testing.T, s deployer.Store, d deployer.Deployment, status deployer.Status) deployer.Deployment {
	t.Helper()
	return must[deployer.Deployment](t)(s.Finish(t.Context(), d.ID, *d.Owner, deployer.Result{Status: status, Reason: "because"}))
}

func status(t *testing.T, s deployer.Store, id int64, want deployer.Status) deployer.Deployment {
	t.Helper()
	d := must[deployer.Deployment](t)(s.Deployment(t.Context(), id))
	if d.Status != want {
		t.Fatalf("deployment %d is %s, want %s", id, d.Status, want)
	}
	return d
}

// together runs fn n times at once and returns its first error.
func together(n int, fn func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// all lists every deployment, page by page.
func all(ctx context.Context, s deployer.Store, f deployer.DeploymentFilter) ([]deployer.Deployment, error) {
	var out []deployer.Deployment
	f.Limit = 200
	for {
		page, err := s.Deployments(ctx, f)
		if err != nil || len(page) == 0 {
			return out, err
		}
		out = append(out, page...)
		f.Before = page[len(page)-1].ID
	}
}
