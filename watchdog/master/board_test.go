package master_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// watched is a guarded pool with limits that a test can wait for.
func watched(count int, change func(*watchdog.Pool)) watchdog.Pool {
	p := child("web", count, "guarded")
	p.Slots, p.Spare = 64, true
	p.StopGrace, p.KillGrace = 5*time.Second, time.Second
	p.Policy = watchdog.Policy{
		Harakiri: 300 * time.Millisecond, Slack: 500 * time.Millisecond, Mercy: 500 * time.Millisecond, Drain: 5 * time.Second,
		Fresh: time.Second, Frozen: 2 * time.Second, // of a machine that is busy with other tests
	}
	if change != nil {
		change(&p)
	}
	return p
}

// look maps the scoreboard of the service.
func (s *service) look() *scoreboard.Board {
	s.t.Helper()
	return lookAt(s.t, s.place)
}

func lookAt(t *testing.T, path string) *scoreboard.Board {
	t.Helper()
	place, err := locate.Find(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := place.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// spareReady waits until the pool is complete: all places, and a spare.
func spareReady(t *testing.T, b *scoreboard.Board) scoreboard.PoolState {
	t.Helper()
	var p scoreboard.PoolState
	eventually(t, "the pool is complete", func() bool {
		p = b.Snapshot().Pools[0]
		ready, spare := 0, 0
		for _, w := range p.Workers {
			switch {
			case w.State == watchdog.Ready && w.Accepting && w.Heartbeat != 0:
				ready++
			case w.State == watchdog.Spare && w.Heartbeat != 0:
				spare++
			default:
				return false
			}
		}
		return ready == p.Places && spare == 1
	})
	return p
}

// worker returns the worker of that pid, and false if it is gone.
func workerOf(b *scoreboard.Board, pid int) (scoreboard.Worker, bool) {
	for _, w := range b.Snapshot().Pools[0].Workers {
		if w.PID == pid {
			return w, true
		}
	}
	return scoreboard.Worker{}, false
}

// client is one keep-alive connection.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, url string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) send(path string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-of%s\r\n\r\n", path, strings.ReplaceAll(strings.Split(path, "?")[0], "/", "-")); err != nil {
		c.t.Fatal(err)
	}
}

// answer returns the status and the body of the next answer; 0 if the
// connection was closed without one.
func (c *client) answer() (int, string) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(c.r, nil)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("no answer and no end")
	}
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// pid asks the worker at the other end who it is.
func (c *client) pid() int {
	c.t.Helper()
	c.send("/pid")
	status, body := c.answer()
	pid, err := strconv.Atoi(body)
	if status != http.StatusOK || err != nil {
		c.t.Fatalf("got %d %q", status, body)
	}
	return pid
}

// keepAsking sends one request after the other until the function that it
// returns is called, which returns those that failed.
func keepAsking(url string) (failures func() []error) {
	stop, failed := make(chan struct{}), make(chan []error, 1)
	go func() {
		var errs []error
		for !closed(stop) {
			if _, err := fetch(url + "/pid"); err != nil {
				errs = append(errs, err)
			}
		}
		failed <- errs
	}()
	return func() []error {
		close(stop)
		return <-failed
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
