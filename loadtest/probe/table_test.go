package probe_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func TestTheOldestInFlightComeFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		const n = 20
		s := serve(t, once(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
			silent(nil, c)
		}))
		p := open(t, s.url(), c)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				sample := loadtest.Sample{Traffic: 3, Phase: 2, Seq: uint64(i), Of: 7, Due: time.Duration(i)}
				p.Send(request(t, "GET", s.url(), "", loadtest.Expect{}), &sample)
				if sample.Outcome != loadtest.TimedOut || sample.Class != "aborted" || sample.Done == 0 {
					t.Errorf("got %s %q", sample.Outcome, sample.Class)
				}
			})
			await(t, "in flight", func() bool { _, total := p.Inflight(0); return total == i+1 })
		}
		await(t, "first bytes", func() bool {
			oldest, _ := p.Inflight(n)
			for _, f := range oldest {
				if f.First == 0 {
					return false
				}
			}
			return true
		})
		got, total := p.Inflight(5)
		if total != n || len(got) != 5 {
			t.Fatalf("%d of %d", len(got), total)
		}
		for i, f := range got {
			if f.Seq != uint64(i) || f.Traffic != 3 || f.Phase != 2 || f.Of != 7 || f.Due != time.Duration(i) || f.First < f.Sent || f.Sent == 0 {
				t.Errorf("%d: %+v", i, f)
			}
		}
		p.Abort()
		all.Wait()
		if _, total := p.Inflight(0); total != 0 {
			t.Errorf("%d are in flight", total)
		}
	})
}

func TestNothingIsSentAfterAnAbort(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		s := serve(t, saying(ok))
		p := open(t, s.url(), c)
		r := request(t, "GET", s.url(), "", loadtest.Expect{})
		send(p, r)
		p.Abort()
		if got := send(p, r); got.Outcome != loadtest.TimedOut || got.Class != "aborted" {
			t.Errorf("got %s %q", got.Outcome, got.Class)
		}
		if got := s.requests.Load(); got != 1 {
			t.Errorf("the server saw %d requests", got)
		}
	})
}

// TestATimeOutHitsItsRequestOnly: connections and contexts are used by many
// requests one after the other; those beside and after one that is ended go on.
func TestATimeOutHitsItsRequestOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		s := serve(t, func(s *server, c net.Conn) {
			for in := bufio.NewReader(c); ; {
				r, err := s.read(in)
				if err != nil {
					return
				}
				if r.URL.Path == "/silent" {
					silent(nil, c)
					return
				}
				if _, err := io.WriteString(c, ok); err != nil {
					return
				}
			}
		})
		c.Timeout = 250 * time.Millisecond
		p := open(t, s.url(), c)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 300 {
					path := "/"
					if n%100 == i {
						path = "/silent"
					}
					got := send(p, request(t, "GET", s.url()+path, "", loadtest.Expect{}))
					late := got.Outcome == loadtest.TimedOut && got.Service() >= c.Timeout
					if !late && (got.Outcome != loadtest.OK || path == "/silent") {
						t.Errorf("%s: %s %q after %s", path, got.Outcome, got.Class, got.Service())
					}
				}
			})
		}
		all.Wait()
	})
}
