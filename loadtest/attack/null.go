package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// null is a server that does nothing: it reads a request to its end and says
// that it is well. It understands no more of HTTP than what the probe writes.
//
// It runs in the generator's own process. There it needs no executable that
// plays it, nothing is left behind, and it works in every program and test that
// links this package. Measured against one in a process of its own, lateness was
// the same from 1,000 to 20,000 requests a second, and the maximum rate a fifth
// higher; the headroom of calibration is a quarter.
type null struct {
	ln  net.Listener
	all sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{} // nil: closed
}

func newNull() (*null, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for calibration: %w", err)
	}
	n := &null{ln: ln, open: map[net.Conn]struct{}{}}
	n.all.Go(n.accept)
	return n, nil
}

// close ends everything and waits for it.
func (n *null) close() {
	_ = n.ln.Close()
	n.mu.Lock()
	for c := range n.open {
		_ = c.Close()
	}
	n.open = nil
	n.mu.Unlock()
	n.all.Wait()
}

func (n *null) accept() {
	for {
		c, err := n.ln.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		if n.open == nil {
			_ = c.Close()
		} else {
			n.open[c] = struct{}{}
			n.all.Go(func() { n.serve(c) })
		}
		n.mu.Unlock()
	}
}

func (n *null) serve(c net.Conn) {
	in := bufio.NewReaderSize(c, 8<<10)
	for {
		last, err := skipRequest(in)
		if err != nil {
			break
		}
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil || last {
			break
		}
	}
	_ = c.Close()
	n.mu.Lock()
	delete(n.open, c)
	n.mu.Unlock()
}

// skipRequest reads a request to its end. last says that no other will follow.
func skipRequest(in *bufio.Reader) (last bool, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return true, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 && !first {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return true, fmt.Errorf("length: %w", err)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
	_, err = in.Discard(length)
	return last, err
}
