package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// Stream is the body of an answer that is written piece by piece, on the
// goroutine of its connection, after the handler returned. Each piece has a
// deadline: a reader that is slower is dropped, never waited for.
type Stream struct {
	server *Server
	conn   net.Conn
	route  string
	id     string          // of the request
	whole  context.Context //nolint:containedctx // of the request; it ends with the stream
	write  func(*Stream) error
	out    io.Writer
}

var errGone = errors.New("the client is gone or too slow")

// stream answers with what write sends.
func (s *Server) stream(x *exchange, kind string, write func(*Stream) error) error {
	if s.streams.Add(1) > int64(s.cfg.Limits.Streams) {
		s.streams.Add(-1)
		return deployer.Errorf(deployer.CodeUnavailable, "too many logs are being followed").WithHint("try again later")
	}
	x.c.Set(fiber.HeaderContentType, kind)
	if kind == mimeEvents {
		x.c.Set("X-Accel-Buffering", "no") // nginx would keep lines back
	}
	x.c.Context().SetBodyStream(&Stream{
		server: s, conn: x.c.Context().Conn(), route: x.route.path, id: x.id, whole: x.whole, write: write,
	}, -1)
	return nil
}

// Context ends when a drain begins. Whoever streams has to end then; the client
// comes back to another worker.
func (st *Stream) Context() context.Context { return st.server.serving }

// Gone is closed when the client has hung up, or was given up. Without it, that
// shows only when something is sent.
func (st *Stream) Gone() <-chan struct{} { return st.whole.Done() }

// Send sends one piece. Its error means that the client is gone or too slow.
func (st *Stream) Send(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	if err := st.conn.SetWriteDeadline(time.Now().Add(st.server.cfg.Limits.WriteTimeout)); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if _, err := st.out.Write(piece); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	st.server.cfg.Warden.Touch(st.conn)
	return nil
}

// SupportsBodyWriteTo tells the server below that WriteTo is what it wants.
func (*Stream) SupportsBodyWriteTo() bool { return true }

// Read implements [io.Reader]; the server calls WriteTo instead.
func (*Stream) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// WriteTo implements [io.WriterTo]. The server drops its error.
func (st *Stream) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		st.ended(err)
	}()
	st.out = w
	return 0, st.write(st)
}

// ended logs why a stream broke off. A client that went away, or is too slow,
// is no news.
func (st *Stream) ended(err error) {
	if err == nil {
		return
	}
	level := slog.LevelWarn
	if errors.Is(err, errGone) {
		level = slog.LevelDebug
	}
	st.server.cfg.Log.LogAttrs(st.server.base, level, "stream broke off", slog.String(deployer.KeyRoute, st.route),
		slog.String(deployer.KeyRequest, st.id), slog.Any(deployer.KeyError, err))
}

// Close is called when the answer is over, also if it was never written.
func (st *Stream) Close() error {
	st.server.streams.Add(-1)
	return nil
}
