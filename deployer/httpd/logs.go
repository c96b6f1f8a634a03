package httpd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

const (
	mimeEvents = "text/event-stream"
	mimeNDJSON = "application/x-ndjson"

	batch = 1000 // records read and sent at once
)

// logs answers GET /api/v1/deployments/{id}/logs: what was printed so far, or,
// to a client that accepts text/event-stream, that and all that follows.
func (s *Server) logs(x *exchange) error {
	id, err := x.pathID()
	if err != nil {
		return err
	}
	live := strings.Contains(x.c.Get(fiber.HeaderAccept), mimeEvents)
	from := x.c.Query("from")
	if last := x.c.Get("Last-Event-ID"); live && last != "" {
		from = last
	}
	position, err := transcript.ParsePosition(from)
	if err != nil {
		return err
	}
	d, err := s.cfg.Store.Deployment(x.ctx, id)
	if err != nil {
		return err
	}
	if s.streams.Add(1) > int64(s.cfg.Limits.Streams) {
		s.streams.Add(-1)
		return deployer.Errorf(deployer.CodeUnavailable, "too many logs are being followed").WithHint("try again later")
	}
	out := &stream{server: s, conn: x.c.Context().Conn(), id: d.ID, request: x.id, at: position}
	if live {
		x.c.Set(fiber.HeaderContentType, mimeEvents)
		x.c.Set("X-Accel-Buffering", "no") // nginx would keep lines back
		out.write = (&follower{stream: out, deployment: d}).run
	} else {
		x.c.Set(fiber.HeaderContentType, mimeNDJSON)
		out.write = out.snapshot
	}
	x.c.Context().SetBodyStream(out, -1)
	return nil
}

// stream is the body of an answer that is written piece by piece, on the
// goroutine of its connection, after the handler returned. Each piece has a
// deadline: a reader that is slower is dropped, never waited for.
type stream struct {
	server  *Server
	conn    net.Conn
	id      int64
	request string
	at      transcript.Position // after the last record that was sent
	write   func() error

	out io.Writer
	buf bytes.Buffer
}

var errGone = errors.New("the client is gone or too slow")

// SupportsBodyWriteTo tells the server below that WriteTo is what it wants.
func (*stream) SupportsBodyWriteTo() bool { return true }

// Read implements [io.Reader]; the server calls WriteTo instead.
func (*stream) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// WriteTo implements [io.WriterTo]. The server drops its error.
func (st *stream) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		st.ended(err)
	}()
	st.out = w
	return 0, st.write()
}

// ended logs why a stream broke off. A client that went away, or is too slow,
// is no news.
func (st *stream) ended(err error) {
	if err == nil {
		return
	}
	level := slog.LevelWarn
	if errors.Is(err, errGone) {
		level = slog.LevelDebug
	}
	st.server.cfg.Log.LogAttrs(st.server.base, level, "log stream broke off", slog.Int64(deployer.KeyDeployment, st.id),
		slog.String(deployer.KeyRequest, st.request), slog.Any(deployer.KeyError, err))
}

// Close is called when the answer is over, also if it was never written.
func (st *stream) Close() error {
	st.server.streams.Add(-1)
	return nil
}

// flush sends what is in buf.
func (st *stream) flush() error {
	if st.buf.Len() == 0 {
		return nil
	}
	if err := st.conn.SetWriteDeadline(time.Now().Add(st.server.cfg.Limits.WriteTimeout)); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if _, err := st.out.Write(st.buf.Bytes()); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	st.buf.Reset()
	st.server.cfg.Warden.Touch(st.conn)
	return nil
}

// snapshot sends the records that are there, one JSON object per line.
func (st *stream) snapshot() error {
	for {
		records, next, err := st.server.cfg.Book.Read(st.id, st.at, batch)
		if err != nil {
			return fmt.Errorf("read transcript: %w", err)
		}
		st.at = next
		for _, r := range records {
			encoded, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("encode record: %w", err)
			}
			st.buf.Write(encoded)
			st.buf.WriteByte('\n')
		}
		if err := st.flush(); err != nil || len(records) < batch {
			return err
		}
	}
}
