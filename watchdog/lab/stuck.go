package lab

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// sleep does not listen to its context: that is the fault.
func (a *app) sleep(c *fiber.Ctx) error {
	d, err := a.fault(c)
	if err != nil {
		return err
	}
	<-time.After(d)
	return c.SendString("slept")
}

func (a *app) spin(c *fiber.Ctx) error {
	d, err := a.fault(c)
	if err != nil {
		return err
	}
	for end := time.Now().Add(d); time.Now().Before(end); { //nolint:revive // the loop is the fault
	}
	return c.SendString("spun")
}

// turnsPerSecond is about how often spinNative turns in a second.
const turnsPerSecond = 3e9

// cspin is busy where the scheduler cannot interrupt it. Whatever stops the
// world, a garbage collection or a dump, waits for it, and everything else in
// the process waits for that.
func (a *app) cspin(c *fiber.Ctx) error {
	d, err := a.fault(c)
	if err != nil {
		return err
	}
	spinNative(int64(d.Seconds() * turnsPerSecond))
	return c.SendString("spun")
}

// spinNative counts n down. It is assembly, which Go does not preempt.
//
//go:noescape
func spinNative(n int64)
