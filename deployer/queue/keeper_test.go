package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/queue"
)

// lease is a store's lease that keeps its promise.
type lease struct {
	mu     sync.Mutex
	owner  deployer.Owner
	until  time.Time
	away   bool
	events []string
}

func (l *lease) Hold(_ context.Context, name string, owner deployer.Owner, ttl time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case name != queue.LeaseName:
		return false, errors.New("wrong name")
	case l.away:
		return false, errors.New("away")
	case l.owner != owner && time.Now().Before(l.until):
		return false, nil
	}
	l.owner, l.until = owner, time.Now().Add(ttl)
	return true, nil
}

func (l *lease) note(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, s)
}

func (l *lease) seen() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

// keep runs a keeper of one singleton that notes when it comes and goes.
func (l *lease) keep(t *testing.T, pid int, name string) (*queue.Keeper, func()) {
	t.Helper()
	k, err := queue.NewKeeper(queue.KeeperConfig{
		Store: l, Owner: deployer.Owner{PID: pid}, Log: slog.New(slog.DiscardHandler),
		Singletons: []queue.Singleton{{Name: "s", Run: func(ctx context.Context) error {
			l.note(name + " starts")
			defer l.note(name + " ends")
			<-ctx.Done()
			return nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	return k, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestOnlyOneOfTwoKeepersRunsAndTheOtherTakesOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lease{}
		first, stopFirst := l.keep(t, 1, "first")
		check(t, "first", l.seen(), "first starts")
		second, stopSecond := l.keep(t, 2, "second")
		time.Sleep(10 * time.Minute)
		check(t, "for ten minutes", l.seen())
		if !first.Holds() || second.Holds() {
			t.Error("the wrong one holds")
		}
		if age := time.Since(second.Beat()); age > 4*time.Second {
			t.Errorf("the second one heard from the store %s ago", age)
		}
		stopFirst()
		check(t, "first stopped", l.seen(), "first ends")
		time.Sleep(4 * time.Second)
		check(t, "second", l.seen(), "second starts")
		stopSecond()
		check(t, "second stopped", l.seen(), "second ends")
	})
}

func TestAKilledKeeperIsReplacedWithin12Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lease{owner: deployer.Owner{PID: 1}, until: time.Now().Add(9 * time.Second)}
		_, stop := l.keep(t, 2, "successor")
		defer stop()
		time.Sleep(12 * time.Second)
		check(t, "12 s later", l.seen(), "successor starts")
	})
}

func TestAKeeperStopsBeforeItsLeaseIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lease{}
		k, stop := l.keep(t, 1, "keeper")
		defer stop()
		time.Sleep(time.Minute)
		check(t, "running", l.seen(), "keeper starts")
		l.mu.Lock()
		l.away = true
		until := l.until
		l.mu.Unlock()
		time.Sleep(time.Until(until))
		check(t, "its lease ends now", l.seen(), "keeper ends")
		if k.Holds() {
			t.Error("it thinks it holds")
		}
		l.mu.Lock()
		l.away = false
		l.mu.Unlock()
		time.Sleep(4 * time.Second)
		check(t, "the store is back", l.seen(), "keeper starts")
	})
}

func TestOneFailedRenewalIsNoReasonToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lease{}
		_, stop := l.keep(t, 1, "keeper")
		defer stop()
		time.Sleep(time.Second)
		check(t, "running", l.seen(), "keeper starts")
		l.mu.Lock()
		l.away = true
		l.mu.Unlock()
		time.Sleep(3 * time.Second)
		l.mu.Lock()
		l.away = false
		l.mu.Unlock()
		time.Sleep(time.Minute)
		check(t, "a minute later", l.seen())
	})
}

func TestAStolenLeaseEndsTheSingletons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lease{}
		_, stop := l.keep(t, 1, "keeper")
		defer stop()
		check(t, "running", l.seen(), "keeper starts")
		l.mu.Lock()
		l.owner, l.until = deployer.Owner{PID: 2}, time.Now().Add(time.Hour)
		l.mu.Unlock()
		time.Sleep(4 * time.Second)
		check(t, "after the next renewal", l.seen(), "keeper ends")
	})
}

func TestASingletonThatFailsIsRunAgainWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var starts []time.Duration
		k, err := queue.NewKeeper(queue.KeeperConfig{
			Store: &lease{}, Log: slog.New(slog.DiscardHandler),
			Singletons: []queue.Singleton{{Name: "s", Run: func(context.Context) error {
				starts = append(starts, time.Since(began))
				return errors.New("broken")
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := k.Run(ctx); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, starts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAKeeperThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	log, one := slog.New(slog.DiscardHandler), []queue.Singleton{{}}
	for name, cfg := range map[string]queue.KeeperConfig{
		"store":      {Log: log, Singletons: one},
		"log":        {Store: &lease{}, Singletons: one},
		"singletons": {Store: &lease{}, Log: log},
		"ttl":        {Store: &lease{}, Log: log, Singletons: one, TTL: -1},
	} {
		if _, err := queue.NewKeeper(cfg); err == nil {
			t.Errorf("no error for %s", name)
		}
	}
}
