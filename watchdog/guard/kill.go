package guard

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/answer"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// What became of a request that was given up.
const (
	outcome504     = "504"
	outcomeBegun   = "closed: the answer had begun, or an earlier one was pending"
	outcomeInside  = "closed: TLS is outside of the guard"
	outcomeRefused = "closed: the client takes no answer"
)

// episode is a time of kills that belong together.
type episode struct {
	id    string
	begun int64
}

const episodeLength = time.Second

func (e *episode) incident(now int64) string {
	if e.id == "" || now-e.begun > int64(episodeLength) {
		e.id, e.begun = watchdog.NewIncidentID(time.Now()), now
	}
	return e.id
}

// kill gives up the request that the token names, unless its handler answers
// first.
func (g *Guard) kill(i int, t scoreboard.Token, now int64) {
	c := g.table[i].Load()
	if c == nil || !c.hold() {
		return
	}
	defer c.drop()
	slot := &g.slots[i]
	v := slot.View(i) // before the swap, after which a handler that ends may go on
	if !slot.Swap(t, t.To(scoreboard.Killed)) {
		return
	}
	slot.SetKilled(now)
	g.region.Count(scoreboard.SoftKills, 1)
	limit := time.Duration(v.Request.Soft - v.Request.Begun)
	incident := g.episode.incident(now)
	k := watchdog.Kill{
		Incident: incident, At: time.Now(), Slot: i, Generation: t.Generation(),
		Request: v.Request.ID, Route: g.routeName(v.Request.Route), Client: v.Request.Client, Age: v.Age(now),
	}
	// First, or net/http may see the end of the connection before the cause.
	c.cancel(&HarakiriError{Route: k.Route, Deadline: limit, Incident: incident})
	k.Outcome = g.reply(c, t.Phase(), answer.Timeout(k.Request, incident, fmt.Sprintf("the request was given up after %s", limit)))
	g.endGroup(c)
	c.observe(v.Request.Route, int64(k.Age))
	g.killed(k)
	g.chores.do(func() {
		g.log.Warn("request given up", watchdog.KeyIncident, k.Incident, watchdog.KeyRequest, k.Request, watchdog.KeyRoute, k.Route,
			watchdog.KeySlot, k.Slot, watchdog.KeyAge, k.Age, watchdog.KeyOutcome, k.Outcome)
	})
}

// reply answers a client whose request was given up in that phase, and ends
// the connection in order. It never blocks.
func (g *Guard) reply(c *Conn, phase scoreboard.Phase, answer []byte) (outcome string) {
	switch {
	case c.sealed.Load():
		g.hangUp(c)
		return outcomeInside
	case phase != scoreboard.Running && phase != scoreboard.Interim:
		g.hangUp(c)
		return outcomeBegun
	case phase == scoreboard.Interim: // the client does not read
		g.hangUp(c)
		return outcomeRefused
	case c.secure || c.socket == nil:
		g.writers.Go(func() { g.replySlowly(c, answer) })
		return outcome504
	}
	err := send(c.socket, answer)
	g.hangUp(c)
	if err != nil {
		return outcomeRefused
	}
	return outcome504
}

// writePatience bounds how long a 504 may take that cannot be written at once.
const writePatience = time.Second

// replySlowly answers through TLS.
func (g *Guard) replySlowly(c *Conn, answer []byte) {
	_ = c.inner.SetWriteDeadline(time.Now().Add(writePatience)) // fails if it is closed, like the next
	_, err := c.inner.Write(answer)
	if half, ok := c.inner.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // the client may be gone
	}
	g.hangUp(c)
}

// hangUp ends what is sent to the client, and lets it read that for a moment.
func (g *Guard) hangUp(c *Conn) {
	if c.socket != nil {
		finish(c.socket)
	}
	g.mu.Lock()
	g.lingering = append(g.lingering, linger{c, g.clock.now() + int64(lingerFor)})
	g.mu.Unlock()
	g.hurry()
}
