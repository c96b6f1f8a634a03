package guard

import "context"

// chores is what the watchdog wants done but must not wait for: log lines, and
// whatever the runtime may hold up. One goroutine does them in order; when it
// is behind, more are dropped.
type chores struct{ queue chan func() }

const choresWaiting = 64

func newChores() chores { return chores{queue: make(chan func(), choresWaiting)} }

func (c chores) do(f func()) bool {
	select {
	case c.queue <- f:
		return true
	default:
		return false
	}
}

// run works until ctx ends, and then does what is left.
func (c chores) run(ctx context.Context) {
	for {
		select {
		case f := <-c.queue:
			f()
		case <-ctx.Done():
			for {
				select {
				case f := <-c.queue:
					f()
				default:
					return
				}
			}
		}
	}
}
