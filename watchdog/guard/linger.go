package guard

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lingerFor is how long a client may take to read the last that it was sent,
// if it does not close the connection before.
const lingerFor = time.Second

// linger is a connection that waits to be closed.
type linger struct {
	conn  *Conn
	until int64
}

// linger closes the connections whose clients have had their time, and reports
// whether there are others.
func (g *Guard) linger(now int64) (more bool) {
	g.mu.Lock()
	all := g.lingering
	g.lingering = nil
	g.mu.Unlock()
	kept := all[:0]
	for _, l := range all {
		if now < l.until && l.conn.socket != nil && !discard(l.conn.socket) {
			kept = append(kept, l)
			continue
		}
		_ = l.conn.bottom.Close() // nothing is lost if it is closed already
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lingering = append(kept, g.lingering...)
	return len(g.lingering) > 0
}

// task is a process group that was told to end.
type task struct {
	conn  *Conn
	group int
	until int64
}

// endGroup tells the process group of a request that was given up to end.
func (g *Guard) endGroup(c *Conn) {
	group := int(c.group.Load())
	if group <= 1 {
		return
	}
	_ = unix.Kill(-group, syscall.SIGTERM) // fails if it has ended
	g.mu.Lock()
	g.tasks = append(g.tasks, task{c, group, g.clock.now() + int64(g.taskGrace)})
	g.mu.Unlock()
	g.hurry()
}

// endTasks kills the groups that have had their time and whose request has not
// said that they are gone, and reports whether there are others.
func (g *Guard) endTasks(now int64) (more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.tasks[:0]
	for _, t := range g.tasks {
		switch {
		case int(t.conn.group.Load()) != t.group: // ended, and reaped
		case now < t.until:
			kept = append(kept, t)
		default:
			_ = unix.Kill(-t.group, syscall.SIGKILL) // fails if it has ended
		}
	}
	clear(g.tasks[len(kept):])
	g.tasks = kept
	return len(kept) > 0
}
