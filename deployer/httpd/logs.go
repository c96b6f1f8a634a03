package httpd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

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
	reader := logReader{server: s, id: d.ID, at: position}
	if live {
		return s.stream(x, mimeEvents, func(st *Stream) error {
			reader.stream = st
			return (&follower{logReader: &reader, deployment: d}).run()
		})
	}
	return s.stream(x, mimeNDJSON, func(st *Stream) error {
		reader.stream = st
		return reader.snapshot()
	})
}

// logReader sends a deployment's log to one client.
type logReader struct {
	server *Server
	stream *Stream
	id     int64
	at     transcript.Position // after the last record that was sent
	buf    bytes.Buffer
}

// flush sends what is in buf.
func (r *logReader) flush() error {
	err := r.stream.Send(r.buf.Bytes())
	r.buf.Reset()
	return err
}

// snapshot sends the records that are there, one JSON object per line.
func (r *logReader) snapshot() error {
	for {
		records, next, err := r.server.cfg.Book.Read(r.id, r.at, batch)
		if err != nil {
			return fmt.Errorf("read transcript of deployment %d: %w", r.id, err)
		}
		r.at = next
		for _, record := range records {
			encoded, err := json.Marshal(record)
			if err != nil {
				return fmt.Errorf("encode record: %w", err)
			}
			r.buf.Write(encoded)
			r.buf.WriteByte('\n')
		}
		if err := r.flush(); err != nil || len(records) < batch {
			return err
		}
	}
}
