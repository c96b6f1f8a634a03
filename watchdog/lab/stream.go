package lab

import (
	"bufio"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/watchdog/fastguard"
)

const eventEvery = 100 * time.Millisecond

// stream sends an event ten times a second. It may last longer than any
// deadline, because every event says that it still moves.
func (a *app) stream(c *fiber.Ctx) error {
	d, err := a.fault(c)
	if err != nil {
		return err
	}
	touch := func() {}
	if a.guard != nil {
		touch = fastguard.Conn(c.Context()).Touch
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		tick := time.NewTicker(eventEvery)
		defer tick.Stop()
		for end := time.Now().Add(d); time.Now().Before(end); {
			touch()
			if _, err := fmt.Fprintf(w, "data: %d\n\n", time.Now().UnixMilli()); err != nil {
				return
			}
			if err := w.Flush(); err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-a.intake.Done(): // this process goes; another one is there
				_, _ = w.WriteString("retry: 100\n\n")
				return
			}
		}
	})
	return nil
}
