package lab

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

const mostLeak = 4096

// leak keeps memory for ever. It writes to all of it, because memory that
// nobody touched is not there.
func (a *app) leak(c *fiber.Ctx) error {
	mb, err := number(c, "mb", mostLeak)
	if err != nil {
		return err
	}
	if err := a.note(c); err != nil {
		return err
	}
	lost := make([]byte, mb<<20)
	for i := 0; i < len(lost); i += 4096 {
		lost[i] = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaked = append(a.leaked, lost)
	return c.SendString("leaked")
}

const mostBurn = 60_000

// burn does work that needs a processor for a while, however long it takes to
// get one.
func (a *app) burn(c *fiber.Ctx) error {
	ms, err := number(c, "ms", mostBurn)
	if err != nil {
		return err
	}
	x := work(ms * a.pace())
	c.Set("X-Result", string('a'+rune(x%26))) // so that it is really computed
	return c.SendString("burned")
}

// work is something that Go can interrupt.
func work(n int) uint32 {
	x := uint32(2463534242)
	for range n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
	}
	return x
}

// calibrate measures how many turns a millisecond has. The best of several
// tries is the one that was not interrupted.
func calibrate() int {
	const turns, tries = 200_000, 5
	best := time.Hour
	for range tries {
		begin := time.Now()
		if work(turns) != 0 { // it never is
			best = min(best, time.Since(begin))
		}
	}
	return int(turns * time.Millisecond / max(best, 1))
}
