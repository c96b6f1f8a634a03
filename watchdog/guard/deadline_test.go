package guard_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
)

const (
	briefly = 20 * time.Millisecond
	never   = time.Hour
)

// pair returns a guarded connection and the client's end of it.
func pair(t testing.TB) (guarded, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := single(t, watchdog.Policy{}).Listen(ln)
	t.Cleanup(func() { _ = l.Close() })
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if guarded, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		_ = guarded.Close()
		guard.Of(guarded).Closed()
	})
	return guarded, client
}

// expire waits until a deadline that is set now, briefly ahead, has passed.
func expire(t *testing.T) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	set(t, a, briefly)
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
}

func set(t *testing.T, c net.Conn, ahead time.Duration) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(ahead)); err != nil {
		t.Fatal(err)
	}
}

// reading reads once and tells how that ended.
func reading(c net.Conn) <-chan error {
	over := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 10))
		over <- err
	}()
	return over
}

func wantData(t *testing.T, client net.Conn, over <-chan error) {
	t.Helper()
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, over); err != nil {
		t.Errorf("reading ended with %v", err)
	}
}

func ended(t *testing.T, over <-chan error) error {
	t.Helper()
	select {
	case err := <-over:
		return err
	case <-time.After(patience):
		t.Fatal("reading does not end")
		return nil
	}
}

func wantTimeout(t *testing.T, over <-chan error) {
	t.Helper()
	err := ended(t, over)
	var op *net.OpError
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &op) || op.Op != "read" || !op.Timeout() {
		t.Errorf("reading ended with %v", err)
	}
}

func TestTheLastReadDeadlineCounts(t *testing.T) {
	t.Parallel()
	t.Run("if it is later, of a read to come", func(t *testing.T) {
		t.Parallel()
		c, client := pair(t)
		set(t, c, briefly)
		set(t, c, never)
		expire(t)
		wantData(t, client, reading(c))
	})
	t.Run("if it is later, of a read under way", func(t *testing.T) {
		t.Parallel()
		c, client := pair(t)
		set(t, c, briefly)
		over := reading(c)
		set(t, c, never)
		expire(t)
		wantData(t, client, over)
	})
	t.Run("if it is later, and passes", func(t *testing.T) {
		t.Parallel()
		c, _ := pair(t)
		set(t, c, briefly)
		set(t, c, 2*briefly)
		wantTimeout(t, reading(c))
		wantTimeout(t, reading(c))
	})
	t.Run("if it is earlier", func(t *testing.T) {
		t.Parallel()
		c, _ := pair(t)
		set(t, c, never)
		over := reading(c)
		set(t, c, briefly)
		wantTimeout(t, over)
	})
	t.Run("if it interrupts what was put off", func(t *testing.T) {
		t.Parallel()
		c, _ := pair(t)
		set(t, c, briefly)
		set(t, c, never)
		over := reading(c)
		expire(t)
		if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		wantTimeout(t, over)
	})
	t.Run("if there is none", func(t *testing.T) {
		t.Parallel()
		c, client := pair(t)
		set(t, c, briefly)
		set(t, c, 2*briefly)
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		expire(t)
		wantData(t, client, reading(c))
	})
	t.Run("if it is for both ways", func(t *testing.T) {
		t.Parallel()
		c, _ := pair(t)
		set(t, c, briefly)
		set(t, c, never)
		if err := c.SetDeadline(time.Now().Add(2 * briefly)); err != nil {
			t.Fatal(err)
		}
		wantTimeout(t, reading(c))
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v", err)
		}
	})
	t.Run("if somebody reads what is inside", func(t *testing.T) {
		t.Parallel()
		c, client := pair(t)
		set(t, c, briefly)
		set(t, c, never)
		inside := guard.Of(c).NetConn()
		expire(t)
		wantData(t, client, reading(inside))
		set(t, c, briefly)
		set(t, c, never)
		expire(t)
		wantData(t, client, reading(inside))
	})
}

// BenchmarkReadDeadline is what servers do for every request: twice, on a
// connection that they keep.
func BenchmarkReadDeadline(b *testing.B) {
	c, _ := pair(b)
	for name, conn := range map[string]net.Conn{"guarded": c, "plain": guard.Of(c).NetConn()} {
		if name == "guarded" {
			conn, _ = pair(b)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
