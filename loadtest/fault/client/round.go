package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// round is what a client does on one connection. It returns how that ended, in a
// word to count; "" if it was us who ended it.
type round func(ctx context.Context, w *Crowd, conn net.Conn) string

var rounds = map[Kind]round{
	SlowBody: slowBody, HalfOpen: halfOpen, HeaderFlood: headerFlood, Abort: abort, Idle: idle, SlowRead: slowRead,
}

const (
	// sendWithin is how long a service may not read what is sent in one piece.
	sendWithin = 10 * time.Second
	// answerWithin is how long a client that behaves for a moment waits.
	answerWithin = 30 * time.Second
	mostBody     = 1 << 20 // of an answer that is read properly
)

func halfOpen(_ context.Context, _ *Crowd, conn net.Conn) string { return read(conn) }

func slowBody(ctx context.Context, w *Crowd, conn net.Conn) string {
	head := w.head(w.config.Method, fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", w.config.Bytes))
	if err := send(conn, head); err != nil {
		return ended(err)
	}
	for range w.config.Bytes {
		if end, over := listen(conn, w.config.Every); over {
			return end
		}
		if ctx.Err() != nil {
			return ""
		}
		if err := send(conn, " "); err != nil {
			return ended(err)
		}
	}
	return read(conn)
}

func headerFlood(ctx context.Context, w *Crowd, conn net.Conn) string {
	if err := send(conn, w.head(http.MethodGet, "")); err != nil {
		return ended(err)
	}
	value := strings.Repeat("x", 64)
	for sent, n := int64(0), 0; sent < w.config.Bytes; n++ {
		if end, over := listen(conn, w.config.Every); over {
			return end
		}
		if ctx.Err() != nil {
			return ""
		}
		line := fmt.Sprintf("X-Flood-%d: %s\r\n", n, value)
		if err := send(conn, line); err != nil {
			// What ended it may have been said before.
			if end := read(conn); strings.HasPrefix(end, "status") {
				return end
			}
			return ended(err)
		}
		sent += int64(len(line))
	}
	return read(conn)
}

func abort(ctx context.Context, w *Crowd, conn net.Conn) string {
	head := w.head(w.config.Method, fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", w.config.Bytes))
	if err := send(conn, head); err != nil {
		return ended(err)
	}
	piece := strings.Repeat(" ", int(min(w.config.Bytes/2, 32<<10)))
	for left := w.config.Bytes / 2; left > 0 && ctx.Err() == nil; left -= int64(len(piece)) {
		if err := send(conn, piece[:min(left, int64(len(piece)))]); err != nil {
			return ended(err)
		}
	}
	reset(conn)
	return "aborted"
}

// reset closes a connection so that the other side gets a reset.
func reset(conn net.Conn) {
	if layered, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = layered.NetConn()
	}
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // if it fails the client hangs up politely, in the middle all the same
	}
	_ = conn.Close()
}

func idle(_ context.Context, w *Crowd, conn net.Conn) string {
	if err := send(conn, w.head(http.MethodGet, "\r\n")); err != nil {
		return ended(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return ended(err)
	}
	answer := bufio.NewReaderSize(conn, 1024)
	res, err := http.ReadResponse(answer, nil)
	if err != nil {
		return ended(err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, mostBody))
	_ = res.Body.Close()
	if err != nil {
		return ended(err)
	}
	w.count(status(res.StatusCode))
	return read(conn)
}

func slowRead(ctx context.Context, w *Crowd, conn net.Conn) string {
	if err := send(conn, w.head(http.MethodGet, "Connection: close\r\n\r\n")); err != nil {
		return ended(err)
	}
	var b [1]byte
	for n := 0; ; n++ {
		if err := conn.SetReadDeadline(time.Time{}); err != nil {
			return ended(err)
		}
		if _, err := conn.Read(b[:]); err != nil {
			if errors.Is(err, io.EOF) && n > 0 {
				return "read to the end"
			}
			return ended(err)
		}
		if !wait(ctx, w.config.Every) {
			return ""
		}
	}
}

// head is the beginning of a request.
func (w *Crowd) head(method, rest string) string {
	return method + " " + w.config.Path + " HTTP/1.1\r\nHost: " + w.target.host + "\r\nUser-Agent: seadog-load\r\n" + rest
}

func send(conn net.Conn, text string) error {
	if err := conn.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	_, err := io.WriteString(conn, text)
	return err
}

// listen waits so long for the service to say something or to hang up.
func listen(conn net.Conn, within time.Duration) (end string, over bool) {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return ended(err), true
	}
	var first [16]byte
	n, err := conn.Read(first[:])
	if n > 0 {
		return statusOf(conn, first[:n]), true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", false
	}
	return ended(err), true
}

// read waits for that until the connection ends.
func read(conn net.Conn) string {
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return ended(err)
	}
	var first [16]byte
	n, err := conn.Read(first[:])
	if n > 0 {
		return statusOf(conn, first[:n])
	}
	return ended(err)
}

// statusOf reads the status of an answer that begins like this.
func statusOf(conn net.Conn, begins []byte) string {
	line := string(begins)
	if len(line) < len("HTTP/1.1 200") {
		rest := make([]byte, len("HTTP/1.1 200")-len(line))
		if err := conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
			return ended(err)
		}
		if _, err := io.ReadFull(conn, rest); err != nil {
			return ended(err)
		}
		line += string(rest)
	}
	var minor, code int
	if _, err := fmt.Sscanf(line, "HTTP/1.%1d %3d", &minor, &code); err != nil {
		return "answered with something else"
	}
	return status(code)
}

// status is what an answer is counted as.
func status(code int) string { return fmt.Sprintf("status %03d", code%1000) }

// ended says how a connection ended.
func ended(err error) string {
	switch {
	case errors.Is(err, net.ErrClosed):
		return ""
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "not taken or answered in time"
	}
	return "broken"
}
