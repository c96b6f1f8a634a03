package master

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// rescue looks after the clients of a worker that is about to be killed. Those
// that wait for an answer get 504; connections on which nothing is under way
// go to a worker that lives. A connection is only touched when its token was
// won: then the worker, if it can still do anything, leaves it alone.
type rescue struct {
	process  *os.Process
	region   *scoreboard.Region
	incident string
	takers   []*handoff.Control // of workers that accept
	idle     bool               // only connections on which nothing is under way
	still    bool               // the process is stopped, and will not go on
	held     []int              // the pool's listening sockets
	control  uint64             // the worker's end of its control socket, see [handoff.Control.Peer]

	pidfd    int
	deadline time.Time

	outcomes []outcome
	kept     []int // descriptors that are closed when the worker is gone
	answered int
	moved    int
	closed   int
	lost     int
	unheard  int // orders to the process that were found unread, and taken out
}

// outcome is what became of the request in one slot.
type outcome struct {
	view scoreboard.View
	what string
	lost bool
}

// What became of a request, in an incident.
const (
	byWorker   = "504 from the worker"
	byWatchdog = "504 from the watchdog"
	cutOff     = "cut off"
	unanswered = "closed without an answer"
)

// rescueLimit is how long the clients of one worker may take.
const rescueLimit = time.Second

// run goes through all slots until the time is up; what it does not come to is
// lost when the worker dies.
func (r *rescue) run() {
	r.deadline = time.Now().Add(rescueLimit)
	_ = r.process.WithHandle(func(handle uintptr) { // fails only for a process that has ended
		r.pidfd = int(handle)
		used := r.region.Used()
		for i := range used {
			if time.Now().After(r.deadline) {
				return
			}
			if v, ok := r.seize(&used[i], i); ok {
				r.one(v)
			}
		}
		r.search(used)
	})
}

// mostSockets bounds what is searched.
const mostSockets = 10_000

// search finds connections of which nothing was read, because the process has
// not even a slot for them.
func (r *rescue) search(used []scoreboard.Slot) {
	strays, known := r.still, map[int]bool{}
	for i := range used {
		v := used[i].View(i)
		known[v.FD] = true
		// Whether a stray is to speak TLS is known only to the worker.
		strays = strays && !v.TLS
	}
	// What cannot be listed is lost with the process.
	fds, _ := process.Sockets(r.process.Pid, mostSockets)
	for _, fd := range fds {
		if known[fd] || time.Now().After(r.deadline) {
			continue
		}
		if own, err := process.Seize(r.pidfd, fd, r.control); err == nil {
			r.unread(own)
		} else if strays {
			r.stray(fd)
		}
	}
}

// stray is a connection that was just accepted. A process that could go on
// would read from it.
func (r *rescue) stray(fd int) {
	if own, err := process.SeizeAccepted(r.pidfd, fd, r.held); err == nil {
		r.passOn(own)
	}
}

// unread are connections that were handed to the process when its siblings
// stopped, shortly before it stopped itself. Each message has one reader, also
// if the process goes on.
func (r *rescue) unread(end int) {
	defer unix.Close(end)
	files, orders := handoff.Unread(end)
	r.unheard += orders
	for _, f := range files {
		own, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		_ = f.Close()
		if err == nil {
			r.passOn(own)
		}
	}
}

// passOn gives a connection of which nothing was read to another worker.
func (r *rescue) passOn(own int) {
	if !r.handOver(own) {
		r.keep(own, nil)
		r.closed++
		return
	}
	_ = unix.Close(own)
	r.moved++
}

// seize wins the token of a slot whose client can be helped, and returns what
// was in it.
func (r *rescue) seize(s *scoreboard.Slot, index int) (scoreboard.View, bool) {
	const attempts = 3 // the worker may be alive and go on meanwhile
	for range attempts {
		v := s.View(index)
		switch v.Token.Phase() {
		case scoreboard.Idle:
			if r.idle && !canMove(v) {
				return v, false
			}
		case scoreboard.Reading, scoreboard.Running, scoreboard.Interim:
			if r.idle {
				return v, false
			}
		default:
			return v, false
		}
		if v.FD < 0 || v.Torn {
			return v, false
		}
		if s.Swap(v.Token, v.Token.To(scoreboard.Seized)) {
			return v, true
		}
	}
	return scoreboard.View{}, false
}

// canMove reports whether the connection of a slot can go on in another
// process: the state of TLS is in the memory of its own.
func canMove(v scoreboard.View) bool { return v.FD >= 0 && !v.TLS }

func (r *rescue) one(v scoreboard.View) {
	fd, err := process.Seize(r.pidfd, v.FD, v.Cookie)
	idle := v.Token.Phase() == scoreboard.Idle
	if r.idle {
		r.move(v, fd, err)
		return
	}
	switch {
	case idle && errors.Is(err, process.ErrGone):
	case idle && err == nil && canMove(v) && r.handOver(fd):
		_ = unix.Close(fd)
		r.moved++
	case idle:
		r.keep(fd, err)
		r.closed++
	case err == nil && canMove(v) && process.Answer504(fd, v.Request.ID, r.incident) == nil:
		r.keep(fd, err)
		r.answered++
		r.outcomes = append(r.outcomes, outcome{v, byWatchdog, false})
	default:
		r.keep(fd, err)
		r.lost++
		r.outcomes = append(r.outcomes, outcome{v, unanswered, true})
	}
}

// move hands over what it can, and leaves the rest as it was: the worker may
// yet go on.
func (r *rescue) move(v scoreboard.View, fd int, err error) {
	moved := err == nil && r.handOver(fd)
	if err == nil {
		_ = unix.Close(fd)
	}
	if moved {
		r.moved++
		return
	}
	r.region.Slots()[v.Index].Swap(v.Token.To(scoreboard.Seized), v.Token)
}

func (r *rescue) keep(fd int, err error) {
	if err == nil {
		r.kept = append(r.kept, fd)
	}
}

// handOver gives a connection to the next of the takers that takes it. A taker
// that has more messages waiting than fit gets a moment to read them.
func (r *rescue) handOver(fd int) bool {
	const moment = time.Millisecond
	for range max(1, int(time.Until(r.deadline)/moment)) {
		for range r.takers {
			taker := r.takers[0]
			r.takers = append(r.takers[1:], taker)
			err := taker.SendFile(handoff.Message{Kind: handoff.MessageAdopt}, fd)
			if err == nil {
				return true
			}
		}
		if len(r.takers) == 0 {
			return false
		}
		pause(moment)
	}
	return false
}

// summary is what was done, in words; "" if that is nothing.
func (r *rescue) summary() string {
	if r.answered+r.moved+r.closed+r.lost == 0 {
		return ""
	}
	return fmt.Sprintf("clients: %d answered with 504, %d idle connections moved to other workers, %d closed, %d without an answer",
		r.answered, r.moved, r.closed, r.lost)
}

// moveIdle hands the idle connections of a worker that does nothing just now to
// others: their clients shall not have to wait until it is killed, or goes on.
func (m *master) moveIdle(c *child) {
	takers := m.takers(c.place.pool)
	if c.rescuers > 0 || len(takers) == 0 {
		return
	}
	r := &rescue{process: c.process, region: c.region, takers: takers, idle: true, control: c.control.Peer()}
	c.rescuers++
	m.attended.Go(func() {
		r.run()
		m.events <- func() { m.rescued(c, r) }
	})
}

// rescued gets the result of a rescue.
func (m *master) rescued(c *child, r *rescue) {
	c.rescuers--
	c.kept = append(c.kept, r.kept...)
	p := c.place.pool.board
	p.Add(scoreboard.Answered, uint64(r.answered))
	p.Add(scoreboard.Moved, uint64(r.moved))
	p.Add(scoreboard.Lost, uint64(r.lost))
	if r.unheard > 0 && c.state < watchdog.Dumping {
		c.say()
	}
	if c.rescuers == 0 && c.afterwards != nil {
		c.afterwards()
	}
}

// lingering is how long a client has to read its 504 before its connection is
// closed. What it sends meanwhile is thrown away then.
const lingering = 500 * time.Millisecond

// closeKept ends connections that were kept until the worker, which had them
// as well, is gone.
func closeKept(fds []int) {
	pause(lingering)
	for _, fd := range fds {
		_ = process.CloseOrderly(fd)
	}
}

// halt stops a process by a signal, and waits a moment until it has stopped.
func halt(p *os.Process) {
	const limit, moment = 200 * time.Millisecond, time.Millisecond
	if p.Signal(unix.SIGSTOP) != nil {
		return // it is gone
	}
	for begun := time.Now(); time.Since(begun) < limit; pause(moment) {
		if s, err := process.Stat(p.Pid); err != nil || s.Stopped() || s.Ended() {
			return
		}
	}
}

func pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	<-t.C
}

// stuck writes an outcome down.
func (o outcome) stuck(routes []string, now int64) watchdog.Stuck {
	s := watchdog.Stuck{
		Request: o.view.Request.ID, Client: o.view.Request.Client, Slot: o.view.Index,
		AgeMS: o.view.Age(now).Milliseconds(), Outcome: o.what,
	}
	if route := o.view.Request.Route; route >= 0 && route < len(routes) {
		s.Route = routes[route]
	}
	return s
}
