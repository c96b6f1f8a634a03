package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// client asks the lab. Without a pool it opens a connection for every request.
type client struct {
	addr string
	pool *pool
}

// answer is what came back: Outcome is the status, or in a word why there is none.
type answer struct {
	Outcome    string
	PID        int
	RetryAfter string
	Body       []byte
	End        time.Time
}

// Outcomes of requests that got no answer.
const (
	refused    = "refused"
	reset      = "reset"
	closed     = "closed"
	timeout    = "timeout"
	garbled    = "garbled"
	unanswered = "unanswered" // still open when the measurement ended
)

const okay = "200"

func (a answer) ok() bool { return a.Outcome == okay }

// abrupt reports whether the connection ended without an answer.
func (a answer) abrupt() bool { return a.Outcome == closed || a.Outcome == reset }

// get asks for path and waits at most limit.
func (c *client) get(ctx context.Context, path string, limit time.Duration) answer {
	a, err := c.exchange(ctx, path, time.Now().Add(limit))
	return a.ended(ctx, err)
}

// ended completes a with the moment, and with why there is no answer.
func (a answer) ended(ctx context.Context, err error) answer {
	if err != nil {
		a.Outcome = why(ctx, err)
	}
	a.End = time.Now()
	return a
}

func (c *client) exchange(ctx context.Context, path string, deadline time.Time) (answer, error) {
	conn, err := c.connect(ctx, deadline)
	if err != nil {
		return answer{}, err
	}
	reuse := false
	defer func() {
		if !reuse || !c.pool.put(conn) {
			_ = conn.Close()
		}
	}()
	if err := conn.SetDeadline(deadline); err != nil {
		return answer{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := send(conn, path); err != nil {
		return answer{}, err
	}
	a, last, err := receive(conn)
	reuse = err == nil && c.pool != nil && !last
	return a, err
}

func send(conn net.Conn, path string) error {
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: lab\r\n\r\n", path)
	return err
}

// receive reads one answer; last says that the connection ends with it.
func receive(conn net.Conn) (a answer, last bool, err error) {
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return answer{}, true, err
	}
	defer res.Body.Close()
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return answer{}, true, err
	}
	if r.Buffered() > 0 {
		return answer{}, true, errGarbled
	}
	pid, _ := strconv.Atoi(res.Header.Get("X-Pid")) // 504s have none
	return answer{Outcome: strconv.Itoa(res.StatusCode), PID: pid, RetryAfter: res.Header.Get("Retry-After"), Body: body}, res.Close, nil
}

var errGarbled = errors.New("more bytes than one answer")

func (c *client) connect(ctx context.Context, deadline time.Time) (net.Conn, error) {
	if conn := c.pool.take(); conn != nil {
		return conn, nil
	}
	d := net.Dialer{Deadline: deadline}
	return d.DialContext(ctx, "tcp", c.addr)
}

// why names in a word why there was no answer.
func why(ctx context.Context, err error) string {
	var netErr net.Error
	switch {
	case ctx.Err() != nil:
		return unanswered
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return closed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return timeout
	}
	return garbled
}
