package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

// EventKind is what an [Event] tells.
type EventKind string

const (
	EventLine   EventKind = "line"   // Record: one line of output
	EventStatus EventKind = "status" // Deployment: its status or step changed
	EventEnd    EventKind = "end"    // Deployment: it is over
)

// Event is one event of a deployment's live log.
type Event struct {
	Kind       EventKind
	Position   string // where Follow goes on after this event
	Record     transcript.Record
	Deployment deployer.Deployment
}

// The pauses between two attempts to get a lost stream back.
const (
	firstPause  = time.Second // unless the service asks for another
	longestWait = 10 * time.Second
)

// Follow hands the events of a deployment to on, beginning after position from
// ("" is the start), and returns nil after the last one, which is an EventEnd.
//
// A stream that breaks is taken up where it stopped, for at most Patience
// without success; lines come once, a status may come again. It is an error at
// once if the service cannot be reached in the first place, or does not want to
// show the deployment. An error of on ends Follow and is returned as it is.
func (c *Client) Follow(ctx context.Context, id int64, from string, on func(Event) error) error {
	f := &follower{client: c, id: id, position: from, pause: firstPause, on: on}
	var lost time.Time
	var wait time.Duration
	for {
		over, err := f.stream(ctx)
		if over {
			return err
		}
		if f.heard { // true after the first attempt, or it would be over
			f.heard, lost, wait = false, time.Now(), f.pause
		}
		if time.Since(lost) > c.config.Patience {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
}

type follower struct {
	client   *Client
	id       int64
	position string
	pause    time.Duration
	began    bool // a stream was there once
	heard    bool // an answer came since the last time it was looked at
	on       func(Event) error
}

// stream reads one stream to its end. over is false if it is worth another try.
func (f *follower) stream(ctx context.Context) (over bool, err error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	if f.position != "" {
		header.Set("Last-Event-ID", f.position)
	}
	s, err := f.client.open(ctx, f.id, header)
	if err != nil {
		return !f.began || ctx.Err() != nil || !worthAnotherTry(err), err
	}
	defer s.close()
	f.began, f.heard = true, true
	frames := frameReader{lines: &s.lineReader, id: f.position}
	for {
		in, err := frames.next()
		if frames.retry > 0 {
			f.pause = frames.retry
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // there was no EventEnd
			}
			return ctx.Err() != nil, s.broken(ctx, err)
		}
		event, known, err := decode(in)
		if err != nil {
			return true, f.client.notSeadog(err)
		}
		if known {
			if err := f.on(event); err != nil {
				return true, err
			}
		}
		f.position = in.id
		if event.Kind == EventEnd {
			return true, nil
		}
	}
}

// worthAnotherTry tells a service that restarts from one that says no.
func worthAnotherTry(err error) bool {
	switch deployer.CodeOf(err) {
	case deployer.CodeUnavailable, deployer.CodeTimeout, deployer.CodeInternal:
		return true
	}
	return false
}

// decode returns known false for kinds that a later version may bring.
func decode(in frame) (event Event, known bool, err error) {
	event = Event{Kind: EventKind(in.kind), Position: in.id}
	switch event.Kind {
	case EventLine:
		err = json.Unmarshal(in.data, &event.Record)
	case EventStatus, EventEnd:
		err = json.Unmarshal(in.data, &event.Deployment)
	default:
		return Event{}, false, nil
	}
	return event, true, err
}
