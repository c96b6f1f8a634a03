package guard_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

const (
	raceDeadline = 40 * time.Millisecond
	raceWindow   = 5 * time.Millisecond
)

// nearDeadline answers within the window around the deadline, with what was asked.
func nearDeadline(c call) string {
	if strings.HasPrefix(c.path, "/slow/") {
		timer := time.NewTimer(raceDeadline - raceWindow + time.Duration(rand.Int64N(int64(2*raceWindow))))
		defer timer.Stop()
		<-timer.C
	}
	return "for " + c.path
}

func racers() (clients, rounds int) {
	if testing.Short() {
		return 16, 5
	}
	return 40, 40
}

// TestWhoeverWinsEachRequestIsAnsweredOnce: handlers that end when the
// watchdog strikes.
func TestWhoeverWinsEachRequestIsAnsweredOnce(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: raceDeadline})
		tg := s.serve(t, g, nearDeadline)
		var answered, killed atomic.Uint64
		clients, rounds := racers()
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				var c *client
				for j := range rounds {
					if c == nil {
						c = tg.dial()
					}
					path := fmt.Sprintf("/slow/%d-%d", i, j)
					id := fmt.Sprintf("id-%d-%d", i, j)
					c.send(getAs(id, path))
					a := c.answer()
					switch {
					case a == nil:
						t.Errorf("no answer to %s", path)
						return
					case a.StatusCode == http.StatusOK && a.text == "for "+path:
						answered.Add(1)
						if a.Close {
							c = nil
						}
					case a.StatusCode == http.StatusGatewayTimeout && strings.Contains(a.text, `"`+id+`"`):
						killed.Add(1)
						c.wantEnd()
						_ = c.Close()
						c = nil
					default:
						t.Errorf("answer to %s: %d %q", path, a.StatusCode, a.text)
						return
					}
				}
			})
		}
		wg.Wait()
		if total := answered.Load() + killed.Load(); total != uint64(clients*rounds) {
			t.Fatalf("%d answers to %d requests", total, clients*rounds)
		}
		if answered.Load() == 0 || killed.Load() == 0 {
			t.Errorf("no race: %d answered, %d killed", answered.Load(), killed.Load())
		}
		if n := g.region.Counted(scoreboard.SoftKills); n != killed.Load() {
			t.Errorf("%d kills were counted, %d seen", n, killed.Load())
		}
		eventually(t, "killed handlers have ended", func() bool { return g.region.Counted(scoreboard.Recovered) == killed.Load() })
		t.Logf("%d answered, %d killed", answered.Load(), killed.Load())
	})
}

// TestA504NeverTakesThePlaceOfAnEarlierAnswer: two requests are sent at once,
// and the second ends when the watchdog strikes.
func TestA504NeverTakesThePlaceOfAnEarlierAnswer(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: raceDeadline})
		tg := s.serve(t, g, nearDeadline)
		var both, first, none atomic.Int64
		clients, rounds := racers()
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for j := range rounds / 2 {
					c := tg.dial()
					fast, slow := fmt.Sprintf("/fast/%d-%d", i, j), fmt.Sprintf("/slow/%d-%d", i, j)
					c.send(getAs("first", fast) + getAs("second", slow))
					a := c.answer()
					switch {
					case a == nil:
						none.Add(1)
						_ = c.Close()
						continue
					case a.StatusCode == http.StatusOK && a.text == "for "+fast:
					case a.StatusCode == http.StatusGatewayTimeout && a.Header.Get("X-Request-Id") == "first":
						_ = c.Close() // the machine is that busy
						continue
					default:
						t.Errorf("first answer: %d %q", a.StatusCode, a.text)
						return
					}
					b := c.answer()
					switch {
					case b == nil:
						first.Add(1)
					case b.StatusCode == http.StatusOK && b.text == "for "+slow:
						both.Add(1)
					case b.StatusCode == http.StatusGatewayTimeout && b.Header.Get("X-Request-Id") == "second":
						both.Add(1)
					default:
						t.Errorf("second answer: %d %q", b.StatusCode, b.text)
						return
					}
					_ = c.Close()
				}
			})
		}
		wg.Wait()
		t.Logf("%d with both answers, %d with the first, %d with none", both.Load(), first.Load(), none.Load())
	})
}

// TestARequestBehindAnAnswerThatWaitsIsCutOffSilently: fasthttp keeps the
// first answer back while it serves the second request.
func TestARequestBehindAnAnswerThatWaitsIsCutOffSilently(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: 100 * time.Millisecond})
		release := make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				<-release
			}
			return "for " + c.path
		})
		defer close(release)
		c := tg.dial()
		c.send(get("/1") + get("/hang"))
		if !s.fast {
			c.want(http.StatusOK, "for /1")
			c.want(http.StatusGatewayTimeout, "timeout")
		}
		c.wantEnd()
		eventually(t, "the kill is reported", func() bool { return len(g.killed()) == 1 })
		if o := g.killed()[0].Outcome; s.fast == (o == "504") {
			t.Errorf("outcome %q", o)
		}
	})
}

// TestAfterAPipelineThatWasReadA504IsPossibleAgain: the doubt about earlier
// answers does not outlive them.
func TestAfterAPipelineThatWasReadA504IsPossibleAgain(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: 100 * time.Millisecond})
		release := make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				<-release
			}
			return "for " + c.path
		})
		defer close(release)
		c := tg.dial()
		c.send(get("/1") + get("/2") + get("/3"))
		for _, path := range []string{"/1", "/2", "/3"} {
			c.want(http.StatusOK, "for "+path)
		}
		c.get("/4")
		c.want(http.StatusOK, "for /4")
		c.get("/hang")
		c.want(http.StatusGatewayTimeout, "timeout")
		c.wantEnd()
	})
}

// TestHalfARequestBehindAnotherIsNoDoubt: the server writes the first answer
// before it waits for the rest of the second request.
func TestHalfARequestBehindAnotherIsNoDoubt(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: 200 * time.Millisecond})
		release := make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				<-release
			}
			return "for " + c.path
		})
		defer close(release)
		c := tg.dial()
		second := get("/hang")
		c.send(get("/1") + second[:12])
		c.want(http.StatusOK, "for /1")
		c.send(second[12:])
		c.want(http.StatusGatewayTimeout, "timeout")
		c.wantEnd()
	})
}
