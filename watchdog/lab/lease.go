package lab

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// leases is how many requests of one process can be served by /lease at once,
// as with a pool of database connections.
const leases = 16

// lease holds one of few leases for a while. It is well-behaved: it gives the
// lease back as soon as its context ends, so what is tested with it is whether
// the contexts of those whose client has gone do end.
func (a *app) lease(c *fiber.Ctx) error {
	d, err := a.fault(c)
	if err != nil {
		return err
	}
	ctx := a.context(c)
	select {
	case a.leases <- struct{}{}:
		defer func() { <-a.leases }()
	case <-ctx.Done():
		return fiber.NewError(fiber.StatusServiceUnavailable, "no lease")
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c.SendString("leased")
	case <-ctx.Done():
		return fiber.NewError(fiber.StatusServiceUnavailable, "given up")
	}
}
