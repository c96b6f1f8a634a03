package httpd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// event is one server-sent event.
type event struct {
	kind, id string
	line     string // of a line
	status   deployer.Status
	step     deployer.Step
}

// events reads a live log. Comments come as events of kind "comment".
type events struct {
	t     testing.TB
	res   *http.Response
	lines *bufio.Scanner
	retry string
}

// follow opens the live log of a deployment.
func (s *service) follow(id int64, last string) *events {
	s.t.Helper()
	req, err := http.NewRequest("GET", fmt.Sprintf("%s/api/v1/deployments/%d/logs", s.url, id), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+readToken)
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		s.t.Fatalf("got %s %s", res.Status, got)
	}
	return &events{t: s.t, res: res, lines: bufio.NewScanner(res.Body)}
}

// next returns the next event, false at the end of the stream.
func (e *events) next() (event, bool) {
	e.t.Helper()
	var ev event
	for e.lines.Scan() {
		line := e.lines.Text()
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" && ev.kind != "":
			return ev, true
		case key == "retry":
			e.retry = value
		case key == "id":
			ev.id = value
		case key == "event":
			ev.kind = value
		case strings.HasPrefix(line, ":"):
			ev.kind = "comment"
		case key == "data" && ev.kind == "line":
			var r transcript.Record
			if err := json.Unmarshal([]byte(value), &r); err != nil {
				e.t.Fatal(err)
			}
			ev.line, ev.step = r.Line, r.Step
		case key == "data":
			var d deployer.Deployment
			if err := json.Unmarshal([]byte(value), &d); err != nil {
				e.t.Fatal(err)
			}
			ev.status, ev.step = d.Status, d.Step
		}
	}
	return event{}, false
}

// all reads to the end and returns the events as words.
func (e *events) all() []string {
	e.t.Helper()
	var words []string
	for {
		ev, ok := e.next()
		if !ok {
			return words
		}
		if ev.kind != "comment" {
			words = append(words, strings.TrimSpace(ev.kind+" "+ev.line+string(ev.status)))
		}
	}
}

// running adds a deployment that runs.
func (s *service) running() int64 {
	return s.store.add(deployer.Deployment{Project: "web", Status: deployer.Running, Step: deployer.StepFetch, Ref: "refs/heads/main"})
}

func quick(c *httpd.Config) { c.Limits.Poll = 20 * time.Millisecond }

func TestALiveLogTellsAllToTheEnd(t *testing.T) {
	t.Parallel()
	s := start(t, quick)
	id := s.running()
	write(t, s, id, deployer.StepFetch, "one", "two")
	e := s.follow(id, "")
	for _, want := range []event{
		{kind: "status", status: deployer.Running, step: deployer.StepFetch},
		{kind: "line", line: "one", step: deployer.StepFetch},
		{kind: "line", line: "two", step: deployer.StepFetch},
	} {
		got, _ := e.next()
		got.id = ""
		if got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	if e.retry != "1000" {
		t.Errorf("retry %q, want 1000", e.retry)
	}
	s.store.change(id, func(d *deployer.Deployment) { d.Step = deployer.StepBuild })
	if got, _ := e.next(); got.kind != "status" || got.step != deployer.StepBuild {
		t.Errorf("got %+v, want the new step", got)
	}
	write(t, s, id, deployer.StepBuild, "three")
	s.store.change(id, func(d *deployer.Deployment) { d.Status = deployer.Succeeded })
	if diff := cmp.Diff([]string{"line three", "status succeeded", "end succeeded"}, sorted(e.all())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sorted moves the line that may come before or after the change of status to the front.
func sorted(words []string) []string {
	for i, w := range words {
		if i == 1 && strings.HasPrefix(w, "line") {
			words[0], words[1] = words[1], words[0]
		}
	}
	return words
}

func TestALogThatIsOverIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t) // polls once a second: the end must not need it
	id := s.store.add(deployer.Deployment{Project: "web", Status: deployer.Failed})
	write(t, s, id, deployer.StepFetch, "one")
	if diff := cmp.Diff([]string{"status failed", "line one", "end failed"}, s.follow(id, "").all()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAHeartbeatAloneIsNoNews(t *testing.T) {
	t.Parallel()
	s := start(t, quick, func(c *httpd.Config) { c.Limits.Heartbeat = 30 * time.Millisecond })
	id := s.running()
	e := s.follow(id, "")
	first, _ := e.next()
	comments := 0
	for comments < 5 {
		s.store.change(id, func(d *deployer.Deployment) { now := time.Now(); d.HeartbeatAt = &now })
		ev, ok := e.next()
		if !ok || ev.kind != "comment" {
			t.Fatalf("after %+v: got %+v, want only signs of life", first, ev)
		}
		comments++
	}
}

func TestALogIsTakenUpWhereItStopped(t *testing.T) {
	t.Parallel()
	s := start(t, quick)
	id := s.store.add(deployer.Deployment{Project: "web", Status: deployer.Succeeded})
	var want []string
	for i := range 2500 { // more than one batch
		want = append(want, fmt.Sprint("line ", i))
	}
	write(t, s, id, deployer.StepFetch, want[:1200]...)
	write(t, s, id, deployer.StepBuild, want[1200:]...)
	var got []string
	last := ""
	for attempt := 0; len(got) < len(want) && attempt < 10; attempt++ {
		e := s.follow(id, last)
		for range 700 { // then the connection breaks
			ev, ok := e.next()
			if !ok {
				break
			}
			if ev.kind == "line" {
				got, last = append(got, ev.line), ev.id
			}
		}
		_ = e.res.Body.Close()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASnapshotHasOneRecordPerLine(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.running()
	var want []string
	for i := range 2500 {
		want = append(want, fmt.Sprint("line ", i))
	}
	write(t, s, id, deployer.StepFetch, want...)
	read := func(query string) []string {
		a := s.call("GET", fmt.Sprintf("/api/v1/deployments/%d/logs%s", id, query), readToken, ``)
		if a.status != 200 || a.header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("got %d %v", a.status, a.header)
		}
		var lines []string
		d := json.NewDecoder(strings.NewReader(string(a.body)))
		for {
			var r transcript.Record
			if err := d.Decode(&r); err == io.EOF {
				return lines
			} else if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, r.Line)
		}
	}
	if diff := cmp.Diff(want, read("")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	records, next, err := s.book.Read(id, transcript.Position{}, 2400)
	if err != nil || len(records) != 2400 {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[2400:], read("?from="+next.String())); diff != "" {
		t.Errorf("from a position (-want +got):\n%s", diff)
	}
	if got := s.call("GET", fmt.Sprintf("/api/v1/deployments/%d/logs", s.running()), readToken, ``); got.status != 200 || len(got.body) != 0 {
		t.Errorf("nothing printed yet: got %s", got)
	}
}

func TestASlowReaderIsDroppedAndDelaysNobody(t *testing.T) {
	t.Parallel()
	s := start(t, quick, func(c *httpd.Config) { c.Limits.WriteTimeout, c.Limits.Streams = 3*time.Second, 2 })
	id := s.running()
	slow := s.dial()
	_ = slow.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(slow, "GET /api/v1/deployments/%d/logs HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\n\r\n", id, readToken)
	fast := s.follow(id, "")
	eventually(t, "both follow", func() bool {
		return s.call("GET", fmt.Sprintf("/api/v1/deployments/%d/logs", id), readToken, ``).status == 503
	})
	const lines = 40_000
	w, err := s.book.Create(id, deployer.StepFetch, 1<<30, transcript.NewRedactor())
	if err != nil {
		t.Fatal(err)
	}
	pad := []byte(strings.Repeat("x", 500))
	for range lines {
		w.Line(process.Stdout, pad)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for seen := 0; seen < lines; {
		ev, ok := fast.next()
		if !ok {
			t.Fatalf("the fast reader was dropped after %d lines", seen)
		}
		if ev.kind == "line" {
			seen++
		}
	}
	eventually(t, "the slow one's place is free again", func() bool {
		return s.call("GET", fmt.Sprintf("/api/v1/deployments/%d/logs", id), readToken, ``).status == 200
	})
}

func TestAReaderWhoIsGoneIsNoticed(t *testing.T) {
	t.Parallel()
	s := start(t, quick, func(c *httpd.Config) { c.Limits.Heartbeat, c.Limits.Streams = 20*time.Millisecond, 1 })
	id := s.running()
	e := s.follow(id, "")
	e.next()
	_ = e.res.Body.Close()
	eventually(t, "its place is free again", func() bool {
		return s.call("GET", fmt.Sprintf("/api/v1/deployments/%d/logs", id), readToken, ``).status == 200
	})
}

// TestFollowersShareTheirQuestions: the store is asked once per poll, not once per follower.
func TestFollowersShareTheirQuestions(t *testing.T) {
	t.Parallel()
	const followers, poll = 20, 100 * time.Millisecond
	s := start(t, func(c *httpd.Config) { c.Limits.Poll = poll })
	id := s.running()
	began := time.Now()
	all := make([]*events, followers)
	for i := range all {
		all[i] = s.follow(id, "")
		all[i].next()
	}
	for i := range 5 {
		s.store.change(id, func(d *deployer.Deployment) { d.Coalesced = i + 1 })
		for _, e := range all {
			if ev, ok := e.next(); !ok || ev.kind != "status" {
				t.Fatalf("got %+v", ev)
			}
		}
	}
	s.store.mu.Lock()
	looks := s.store.looks - followers // each opened the log with one
	s.store.mu.Unlock()
	if most := int(time.Since(began)/poll) + 1; looks > most {
		t.Errorf("the store was asked %d times in %s, want at most %d", looks, time.Since(began), most)
	}
}

func TestALiveLogSurvivesAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	s := start(t, quick)
	id := s.running()
	e := s.follow(id, "")
	e.next()
	err := error(deployer.Errorf(deployer.CodeUnavailable, "away"))
	s.store.fail.Store(&err)
	write(t, s, id, deployer.StepFetch, "still printing")
	if ev, ok := e.next(); !ok || ev.line != "still printing" {
		t.Fatalf("got %+v", ev)
	}
	s.store.fail.Store(nil)
	s.store.change(id, func(d *deployer.Deployment) { d.Status = deployer.Succeeded })
	if diff := cmp.Diff([]string{"status succeeded", "end succeeded"}, e.all()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
