package lab

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/watchdog/lock"
)

// pair is two locks that requests take in either order, as transfers between
// two accounts do when nobody thought of it.
type pair struct {
	locks [2]sync.Mutex
	order atomic.Uint32
	held  [2]chan struct{} // a token is in it once that lock is held for good
	total int              // of transfers, under both locks: none ever gets here
}

func newPair() *pair {
	return &pair{held: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}}
}

// company is how long a request waits for another one to deadlock with.
const company = 50 * time.Millisecond

// transfer takes both locks, every second caller in the other order. It waits
// in between until the other lock is held, so that it always ends badly; if
// nobody comes, a goroutine of the application's own takes the other side.
func (p *pair) transfer() {
	first := int(p.order.Add(1)-1) % 2
	p.locks[first].Lock()
	p.held[first] <- struct{}{}
	select {
	case <-p.held[1-first]:
	case <-time.After(company):
		go p.settle(1-first, first)
		<-p.held[1-first]
	}
	p.locks[1-first].Lock()
	p.total++
	p.locks[1-first].Unlock()
	p.locks[first].Unlock()
}

// settle is the other side of a transfer that found no company.
func (p *pair) settle(first, second int) {
	p.locks[first].Lock()
	p.held[first] <- struct{}{}
	p.locks[second].Lock()
	p.total++
	p.locks[second].Unlock()
	p.locks[first].Unlock()
}

func (a *app) deadlock(c *fiber.Ctx) error {
	if err := a.note(c); err != nil {
		return err
	}
	a.accounts.transfer()
	return c.SendString("transferred")
}

// trackedPair is the same with locks that know who holds them and who waits,
// and that stop waiting when a request is given up: what was deadlocked comes
// loose again.
type trackedPair struct {
	locks [2]*lock.Mutex
	order atomic.Uint32
}

func newTrackedPair(g *lock.Graph) *trackedPair {
	return &trackedPair{locks: [2]*lock.Mutex{g.Mutex("ledger"), g.Mutex("archive")}}
}

func (p *trackedPair) transfer(ctx context.Context, first int) error {
	if err := p.locks[first].Lock(ctx); err != nil {
		return err
	}
	defer p.locks[first].Unlock()
	<-time.After(company) // for somebody to take the other one
	if err := p.locks[1-first].Lock(ctx); err != nil {
		return err
	}
	p.locks[1-first].Unlock()
	return nil
}

// lockorder brings its company along: a goroutine that works for the same
// request, and takes the locks in the other order.
func (a *app) lockorder(c *fiber.Ctx) error {
	if err := a.note(c); err != nil {
		return err
	}
	ctx := a.context(c)
	first := int(a.ledgers.order.Add(1)-1) % 2
	var other sync.WaitGroup
	other.Go(func() { _ = a.ledgers.transfer(lock.Fork(ctx), 1-first) }) // ends with ctx as this one does
	err := a.ledgers.transfer(ctx, first)
	other.Wait()
	if err != nil {
		return err
	}
	return c.SendString("transferred")
}

const rivals = 300

// hot has many goroutines fight for one lock, all of which get it again and
// again: whoever looks twice sees the same crowd waiting, and nobody is stuck.
func (a *app) hot(c *fiber.Ctx) error {
	d, err := span(c, "s", 10*time.Second)
	if err != nil {
		return err
	}
	const work = 50 * time.Microsecond
	var heat sync.Mutex
	end := time.Now().Add(d)
	for range rivals {
		go func() {
			for time.Now().Before(end) {
				heat.Lock()
				<-time.After(work)
				heat.Unlock()
			}
		}()
	}
	return c.SendString("heated")
}

// blackhole blocks if it was shut in this process: everybody that comes here
// waits for a lock which is never unlocked.
func (a *app) blackhole(c *fiber.Ctx) error {
	a.hole.Lock()
	if c.QueryBool("shut") {
		return c.SendString("shut")
	}
	a.hole.Unlock()
	return c.SendString("through")
}
