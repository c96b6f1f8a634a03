package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"
)

var noteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// note tells whoever asked for a fault that it begins now, and where.
func (a *app) note(c *fiber.Ctx) error {
	id := c.Query("id")
	if a.faults == "" || id == "" {
		return nil
	}
	if !noteName.MatchString(id) {
		return fiber.NewError(fiber.StatusBadRequest, "id: must be letters, digits, dots, dashes and underscores")
	}
	f, err := os.CreateTemp(a.faults, ".note-")
	if err != nil {
		return fmt.Errorf("note the fault: %w", err)
	}
	now := time.Now()
	_, err = fmt.Fprintf(f, "%s %d.%06d\n", a.pid, now.Unix(), now.Nanosecond()/int(time.Microsecond))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(a.faults, id))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error counts
		return fmt.Errorf("note the fault: %w", err)
	}
	return nil
}

// fault reads how long a fault shall last, which is for ever if nothing is
// said, and notes its beginning.
func (a *app) fault(c *fiber.Ctx) (time.Duration, error) {
	d, err := span(c, "s", longest)
	if err != nil {
		return 0, err
	}
	return d, a.note(c)
}
