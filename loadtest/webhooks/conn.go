package webhooks

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// conn is one keep-alive connection and the buffers that belong to it.
type conn struct {
	net.Conn
	in  *bufio.Reader
	out []byte
}

func dial(ctx context.Context, address string, deadline time.Time) (*conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(deadline); err != nil {
		c.Close()
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 2<<10)}, nil
}

// post sends d under the n-th id and returns the status of the answer. last
// means that the server will not take another request on this connection.
func (c *conn) post(d delivery, run [12]byte, n uint64) (status int, last bool, err error) {
	c.out = append(c.out[:0], d.wire...)
	stamp(c.out[d.id:d.id+idLength], run, n)
	if _, err := c.Write(c.out); err != nil {
		return 0, true, err
	}
	return readAnswer(c.in)
}

// readAnswer reads one HTTP/1.1 answer whose length is given, and nothing of it but that.
func readAnswer(in *bufio.Reader) (status int, last bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, true, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, true, fmt.Errorf("no HTTP/1.1 answer: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil || status < 100 {
		return 0, true, fmt.Errorf("no status: %q", line)
	}
	length := -1 // not given
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return 0, true, err
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		if len(name) == 0 && !found {
			break
		}
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, true, fmt.Errorf("no length: %q", value)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 {
		return 0, true, fmt.Errorf("an answer %d without a length", status)
	}
	if _, err = in.Discard(length); err != nil {
		return 0, true, err
	}
	return status, last, nil
}
