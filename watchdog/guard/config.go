package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Config is what a [Guard] needs to know.
type Config struct {
	// Region is this process's part of the scoreboard. Its slots are how many
	// connections can be open at once.
	Region *scoreboard.Region
	Policy watchdog.Policy
	// Routes names the routes in the order of the scoreboard's layout.
	Routes []string
	Log    *slog.Logger
	// Killed is told about every request that was given up. It is called by
	// the goroutine that watches, so it must not block. May be nil.
	Killed func(watchdog.Kill)
	// TaskGrace is how long the processes of a request that was given up may
	// take to obey SIGTERM. 2 s if 0.
	TaskGrace time.Duration
}

const defaultTaskGrace = 2 * time.Second

// Validate reports everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	switch {
	case c.Region == nil:
		errs = append(errs, errors.New("guard: no region of a scoreboard"))
	case len(c.Region.Slots()) == 0:
		errs = append(errs, errors.New("guard: the region has no slots"))
	}
	if c.Log == nil {
		errs = append(errs, errors.New("guard: no log"))
	}
	if c.TaskGrace < 0 {
		errs = append(errs, fmt.Errorf("guard: task grace %s is negative", c.TaskGrace))
	}
	return errors.Join(errs...)
}

// Limits is what a route's requests may take.
type Limits struct {
	// Deadline is when the client gets 504. The policy's if 0; negative: never.
	Deadline time.Duration
	// Stream means that Deadline counts from the last [Conn.Touch], not from
	// the beginning.
	Stream bool
	// Essential requests are served however overloaded the process is.
	Essential bool
}

// Begin is what is known of a request when it begins.
type Begin struct {
	// ID is what the client calls it. Used if it is 1 to 64 letters, digits
	// and "-_."; otherwise the request gets an id of its own. It is copied.
	ID string
	// Client is its address; that of the connection if empty. It is copied.
	Client string
	Route  int // its number in Config.Routes; -1 if it is not known yet
	Limits Limits
	At     time.Time // now if zero
}
