package client_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest/fault/client"
)

// bytesServer takes connections and tells what comes over them, byte by byte.
type bytesServer struct {
	address  string
	accepted chan net.Conn
}

func listen(t *testing.T) *bytesServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &bytesServer{address: l.Addr().String(), accepted: make(chan net.Conn, 100)}
	var gone sync.WaitGroup
	gone.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted <- c
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		gone.Wait()
		for {
			select {
			case c := <-s.accepted:
				_ = c.Close()
			default:
				return
			}
		}
	})
	return s
}

// next returns the next connection, with a deadline that only a broken client meets.
func (s *bytesServer) next(t *testing.T) net.Conn {
	t.Helper()
	select {
	case c := <-s.accepted:
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	case <-time.After(20 * time.Second):
		t.Fatal("nobody connects")
		return nil
	}
}

func send(t *testing.T, c client.Config) *client.Crowd {
	t.Helper()
	w, err := client.Send(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Undo() })
	return w
}

func undo(t *testing.T, w *client.Crowd) {
	t.Helper()
	for range 2 {
		if err := w.Undo(); err != nil {
			t.Error(err)
		}
	}
}

// readEnd reads until the connection ends, and returns how.
func readEnd(c net.Conn) (string, error) {
	b, err := io.ReadAll(c)
	return string(b), err
}

// eventually waits until something is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
