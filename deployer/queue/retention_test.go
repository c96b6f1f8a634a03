package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/queue"
)

// attic is a store with old things, and the files that belong to them.
type attic struct {
	mu     sync.Mutex
	old    []int64
	stuck  map[int64]bool
	fails  bool
	events []string
}

func (a *attic) Prune(_ context.Context, r deployer.Retention) ([]int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails {
		return nil, errors.New("away")
	}
	a.events = append(a.events, fmt.Sprintf("prune %d", r.Deployments))
	gone := a.old
	a.old = nil
	return gone, nil
}

func (a *attic) remove(_ context.Context, id int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stuck[id] {
		return errors.New("busy")
	}
	a.events = append(a.events, fmt.Sprintf("remove %d", id))
	return nil
}

func (a *attic) seen() []string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.events
	a.events = nil
	return events
}

func TestRetentionRemovesTheFilesOfWhatIsGoneUntilTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attic{old: []int64{1, 2, 3}, stuck: map[int64]bool{2: true}}
		r, err := queue.NewRetention(queue.RetentionConfig{
			Store: a, Policy: deployer.Retention{Deployments: 7}, Remove: a.remove, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		check(t, "at once", a.seen(), "prune 7", "remove 1", "remove 3")
		time.Sleep(59 * time.Minute)
		check(t, "within the hour", a.seen())
		a.mu.Lock()
		a.stuck[2], a.fails = false, true
		a.mu.Unlock()
		time.Sleep(2 * time.Minute)
		check(t, "although the store is away", a.seen(), "remove 2")
		a.mu.Lock()
		a.fails, a.old = false, []int64{4}
		a.mu.Unlock()
		time.Sleep(time.Hour)
		check(t, "an hour later", a.seen(), "prune 7", "remove 4")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestARetentionThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	a, log := &attic{}, slog.New(slog.DiscardHandler)
	for name, cfg := range map[string]queue.RetentionConfig{
		"store":    {Remove: a.remove, Log: log},
		"remove":   {Store: a, Log: log},
		"log":      {Store: a, Remove: a.remove},
		"duration": {Store: a, Remove: a.remove, Log: log, Every: -1},
	} {
		if _, err := queue.NewRetention(cfg); err == nil {
			t.Errorf("no error for %s", name)
		}
	}
}
