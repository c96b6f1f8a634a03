package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

// Transcript hands what a deployment has printed so far to line, in order, and
// stops with line's error if it returns one. line may take its time.
func (c *Client) Transcript(ctx context.Context, id int64, line func(transcript.Record) error) error {
	s, err := c.open(ctx, id, http.Header{"Accept": {"application/x-ndjson"}})
	if err != nil {
		return err
	}
	defer s.close()
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return s.broken(ctx, err)
		}
		var record transcript.Record
		if err := json.Unmarshal(text, &record); err != nil {
			return c.notSeadog(err)
		}
		if err := line(record); err != nil {
			return err
		}
	}
}

// stream is the body of an answer that may take for ever: only waiting for the
// next byte is bounded, never the time that the reader takes.
type stream struct {
	lineReader
	client *Client
	cancel context.CancelFunc
	silent *atomic.Bool // cancel was called because nothing came
	body   io.ReadCloser
}

// open asks for the log of a deployment and waits at most Timeout for the beginning of the answer.
func (c *Client) open(ctx context.Context, id int64, header http.Header) (*stream, error) {
	inner, cancel := context.WithCancel(ctx)
	s := &stream{client: c, cancel: cancel, silent: new(atomic.Bool)}
	silence := time.AfterFunc(c.config.Timeout, func() {
		s.silent.Store(true)
		cancel()
	})
	r := get(deploymentPath(id, "/logs"), nil)
	r.header = header
	res, err := c.send(inner, r)
	silence.Stop()
	if err != nil {
		cancel()
		return nil, s.broken(ctx, err)
	}
	s.body = res.Body
	s.lineReader = newLineReader(&patientReader{in: res.Body, silence: silence, limit: c.config.Silence})
	return s, nil
}

func (s *stream) close() {
	s.cancel()
	s.body.Close()
}

// broken says why nothing more comes. ctx is the caller's.
func (s *stream) broken(ctx context.Context, err error) error {
	var told *deployer.Error
	switch {
	case s.silent.Load() && ctx.Err() == nil:
		return s.client.unreachable(ctx, os.ErrDeadlineExceeded)
	case errors.As(err, &told):
		return err
	}
	return s.client.unreachable(ctx, err)
}

// patientReader runs its timer only while it waits for bytes.
type patientReader struct {
	in      io.Reader
	silence *time.Timer
	limit   time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	p.silence.Reset(p.limit)
	defer p.silence.Stop()
	return p.in.Read(b)
}

// maxLine bounds one line of a stream: a line of output has at most 64 KiB,
// six times that as JSON.
const maxLine = 1 << 20

// lineReader reads lines of bounded length.
type lineReader struct {
	in   *bufio.Reader
	line []byte
}

func newLineReader(r io.Reader) lineReader {
	return lineReader{in: bufio.NewReaderSize(r, 32<<10)}
}

// next returns the next line without its end, valid until the next call. What
// follows the last line end is no line: the connection broke there, and
// io.ErrUnexpectedEOF is returned.
func (l *lineReader) next() ([]byte, error) {
	l.line = l.line[:0]
	for {
		piece, err := l.in.ReadSlice('\n')
		l.line = append(l.line, piece...)
		switch {
		case len(l.line) > maxLine:
			return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.line) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		line := l.line[:len(l.line)-1]
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		return line, nil
	}
}
