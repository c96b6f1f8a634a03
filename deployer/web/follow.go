package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
)

// follow answers GET /deployments/{id}/live?from=POSITION&seen=VERSION: one
// deployment as it goes on. Its events are
//
//	lines   more of the log; the id is the position after it
//	change  parts of the page that changed, as in [UI.live], without an id
//	end     the deployment is over, and all lines were sent
//	leave   the session is over
//
// A browser that comes back with the last id misses nothing and gets no line twice.
func (u *UI) follow(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	from := v.text("from")
	if last := v.c.Get("Last-Event-ID"); last != "" {
		from = strings.Clone(last)
	}
	at, err := transcript.ParsePosition(from)
	if err != nil {
		return err
	}
	d, err := u.cfg.Store.Deployment(v.Context(), id)
	if err != nil {
		return err
	}
	f := &follower{ui: u, deployment: d, at: at, page: viewer{version: v.text("seen")}, holder: v.session}
	return v.Stream(mimeEvents, f.run)
}

// follower shows one deployment to one browser.
type follower struct {
	ui         *UI
	deployment deployer.Deployment
	at         transcript.Position
	page       viewer
	holder     session
	st         *httpd.Stream
}

func (f *follower) run(st *httpd.Stream) error {
	f.st = st
	ctx, cancel := context.WithCancel(st.Context())
	defer cancel()
	one := f.ui.looks.enter(deploymentPath(f.deployment.ID))
	defer f.ui.looks.leave(one)
	if err := st.Send(eventRetry); err != nil {
		return err
	}
	lines, err := f.ui.cfg.Tailer.Follow(ctx, f.deployment.ID, f.at)
	if err != nil {
		return fmt.Errorf("follow the log of deployment %d: %w", f.deployment.ID, err)
	}
	over, err := f.watch(ctx, one, lines)
	if err != nil || !over {
		return err
	}
	cancel()
	if err := f.rest(); err != nil {
		return err
	}
	return st.Send([]byte("event: end\ndata: {}\n\n"))
}

// watch sends lines and changes. It returns over when the deployment is.
func (f *follower) watch(ctx context.Context, one *lookout, lines <-chan []transcript.Record) (over bool, err error) {
	limits := f.ui.cfg.Limits
	poll := time.NewTicker(limits.Poll)
	defer poll.Stop()
	heartbeat := time.NewTicker(limits.Heartbeat)
	defer heartbeat.Stop()
	look := true
	for {
		if look {
			now := f.ui.looks.look(ctx, one)
			news, err := f.page.news(now)
			if err != nil {
				return false, err
			}
			if err := f.st.Send(news); err != nil || now.final {
				return now.final, err
			}
		}
		look = false
		select {
		case <-ctx.Done():
			return false, nil
		case <-f.st.Gone():
			return false, nil
		case records, ok := <-lines:
			if !ok {
				return false, nil // too slow, or the tailer is gone: the browser comes back
			}
			if err := f.send(records); err != nil {
				return false, err
			}
		case <-poll.C:
			look = true
		case <-heartbeat.C:
			if !f.ui.sessions.lasts(f.holder) {
				return false, f.st.Send(eventLeave)
			}
			if err := f.st.Send(eventAlive); err != nil {
				return false, err
			}
		}
	}
}

// rest sends what was written after the last line that was followed.
func (f *follower) rest() error {
	const atOnce = 500
	for {
		records, next, err := f.ui.cfg.Book.Read(f.deployment.ID, f.at, atOnce)
		if err != nil {
			return fmt.Errorf("read the log of deployment %d: %w", f.deployment.ID, err)
		}
		if err := f.send(records); err != nil {
			return err
		}
		f.at = next
		if len(records) < atOnce {
			return nil
		}
	}
}

func (f *follower) send(records []transcript.Record) error {
	if len(records) == 0 {
		return nil
	}
	event, err := f.ui.pieces.event(f.deployment, records)
	if err != nil {
		return err
	}
	f.at = records[len(records)-1].Next
	return f.st.Send(event)
}

// logRecords answers GET /deployments/{id}/log?from=POSITION&to=POSITION: the
// lines between two positions, for the script, in the form of [encodeRecords],
// a list per line of text.
func (u *UI) logRecords(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	from, err := transcript.ParsePosition(v.text("from"))
	if err != nil {
		return err
	}
	to, err := transcript.ParsePosition(v.text("to"))
	if err != nil {
		return err
	}
	d, err := u.cfg.Store.Deployment(v.Context(), id)
	if err != nil {
		return err
	}
	return v.Stream("application/x-ndjson", func(st *httpd.Stream) error {
		return u.sendLog(st, d.ID, from, func(records []transcript.Record) ([]byte, bool, error) {
			n := 0
			for n < len(records) && !to.Before(records[n].Next) {
				n++
			}
			encoded, err := encodeRecords(d, records[:n])
			return append(encoded, '\n'), n == len(records), err
		})
	})
}

// logText answers GET /deployments/{id}/log.txt: the whole log, to be kept.
func (u *UI) logText(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	d, err := u.cfg.Store.Deployment(v.Context(), id)
	if err != nil {
		return err
	}
	v.c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s-%d.log"`, d.Project, d.ID))
	return v.Stream("text/plain; charset=utf-8", func(st *httpd.Stream) error {
		return u.sendLog(st, d.ID, transcript.Position{}, func(records []transcript.Record) ([]byte, bool, error) {
			var text []byte
			for _, r := range records {
				text = fmt.Appendf(text, "%s %s %s\n", r.Time.Format("2006-01-02T15:04:05.000Z07:00"), r.Step, r.Line)
			}
			return text, true, nil
		})
	})
}

// sendLog sends what is there of a log, as encode writes it, until encode does
// not want more.
func (u *UI) sendLog(st *httpd.Stream, id int64, from transcript.Position,
	encode func([]transcript.Record) (text []byte, more bool, err error),
) error {
	const atOnce = 1000
	for st.Context().Err() == nil {
		records, next, err := u.cfg.Book.Read(id, from, atOnce)
		if err != nil {
			return fmt.Errorf("read the log of deployment %d: %w", id, err)
		}
		text, more, err := encode(records)
		if err != nil {
			return err
		}
		if err := st.Send(text); err != nil || !more || len(records) < atOnce {
			return err
		}
		from = next
	}
	return nil
}
