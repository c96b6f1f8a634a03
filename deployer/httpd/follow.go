package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

// follower sends one deployment's log as server-sent events:
//
//	retry: 1000
//
//	event: status
//	data: {"id":7,"status":"running",…}
//
//	id: 2:4711
//	event: line
//	data: {"step":"build","line":"#5 DONE 0.1s",…}
//
//	: still here
//
//	event: end
//	data: {"id":7,"status":"succeeded",…}
//
// A client that comes back with the last id misses nothing and gets no line twice.
type follower struct {
	*logReader
	deployment deployer.Deployment
	shown      string // fingerprint of what the last status event said
}

// run sends events until the deployment is over, the client is gone or too
// slow, or the server is stopped.
func (f *follower) run() error {
	ctx, cancel := context.WithCancel(f.server.serving)
	defer cancel()
	w := f.server.statuses.enter(f.deployment)
	defer f.server.statuses.leave(f.id)
	f.buf.WriteString("retry: 1000\n\n")
	if err := f.status(f.deployment); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	if !f.deployment.Status.Final() {
		lines, err := f.server.cfg.Tailer.Follow(ctx, f.id, f.at)
		if err != nil {
			return fmt.Errorf("follow transcript of deployment %d: %w", f.id, err)
		}
		if over, err := f.follow(ctx, w, lines); !over {
			return err
		}
		cancel()
	}
	if err := f.rest(); err != nil {
		return err
	}
	if err := f.event("end", "", f.deployment); err != nil {
		return err
	}
	return f.flush()
}

// follow sends lines and changes of status. It returns over when the deployment is.
func (f *follower) follow(ctx context.Context, w *watched, lines <-chan []transcript.Record) (over bool, err error) {
	poll := time.NewTicker(f.server.cfg.Limits.Poll)
	defer poll.Stop()
	heartbeat := time.NewTicker(f.server.cfg.Limits.Heartbeat)
	defer heartbeat.Stop()
	for {
		if err := f.flush(); err != nil {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-f.stream.Gone():
			return false, errGone
		case records, ok := <-lines:
			if !ok {
				return false, nil // too slow, or the tailer is gone: the client comes back
			}
			if err := f.records(records); err != nil {
				return false, err
			}
		case <-heartbeat.C:
			f.buf.WriteString(": still here\n\n")
		case <-poll.C:
			f.deployment = f.server.statuses.look(ctx, w)
			if err := f.status(f.deployment); err != nil {
				return false, err
			}
			if f.deployment.Status.Final() {
				return true, nil
			}
		}
	}
}

// rest sends what was written after the last record that was followed.
func (f *follower) rest() error {
	for {
		records, next, err := f.server.cfg.Book.Read(f.id, f.at, batch)
		if err != nil {
			return fmt.Errorf("read transcript of deployment %d: %w", f.id, err)
		}
		if err := f.records(records); err != nil {
			return err
		}
		f.at = next
		if err := f.flush(); err != nil || len(records) < batch {
			return err
		}
	}
}

func (f *follower) records(records []transcript.Record) error {
	for _, r := range records {
		if err := f.event("line", r.Next.String(), r); err != nil {
			return err
		}
		f.at = r.Next
	}
	return nil
}

// status sends d if it says something new. A heartbeat is nothing new.
func (f *follower) status(d deployer.Deployment) error {
	d.HeartbeatAt = nil
	encoded, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode deployment: %w", err)
	}
	if f.shown == string(encoded) {
		return nil
	}
	f.shown = string(encoded)
	return f.event("status", "", d)
}

// event appends one event to the buffer.
func (f *follower) event(kind, id string, v any) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if id != "" {
		f.buf.WriteString("id: " + id + "\n")
	}
	f.buf.WriteString("event: " + kind + "\ndata: ")
	f.buf.Write(encoded)
	f.buf.WriteString("\n\n")
	return nil
}
