package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
)

// event is one server-sent event.
type event struct{ kind, id, data string }

// stream follows a stream of events until the test ends. The channel is closed
// when the stream is.
func (v *visitor) stream(path string, header ...string) <-chan event {
	v.s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", v.base+path, nil)
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := *v.client
	client.Timeout = 0
	res, err := client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		v.s.t.Fatalf("GET %s: %s %s", path, res.Status, res.Header.Get("Content-Type"))
	}
	events, over := make(chan event, 1000), make(chan struct{})
	go func() {
		defer close(over)
		defer close(events)
		defer res.Body.Close()
		var e event
		in := bufio.NewReader(res.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "event":
				e.kind = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if e.kind != "" {
					events <- e
				}
				e = event{}
			}
		}
	}()
	v.s.t.Cleanup(func() { cancel(); <-over })
	return events
}

// next waits for the next event.
func next(t *testing.T, events <-chan event) event {
	t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
	}
	return event{}
}

type change struct {
	Version string            `json:"version"`
	State   string            `json:"state"`
	Parts   map[string]string `json:"parts"`
}

func changeOf(t *testing.T, e event) change {
	t.Helper()
	var c change
	if err := json.Unmarshal([]byte(e.data), &c); err != nil || e.kind != "change" {
		t.Fatalf("%+v: %v", e, err)
	}
	return c
}

var seenRE = regexp.MustCompile(`data-live="([^"]+)" data-seen="([^"]+)"`)

// streamOf returns the stream of a page and the version that the page shows.
func streamOf(t *testing.T, page answer) (path, seen string) {
	t.Helper()
	found := seenRE.FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("the page has no stream: %s", page)
	}
	return strings.ReplaceAll(found[1], "&amp;", "&"), found[2]
}

func TestAnOpenPageIsToldWhatChangesAndNothingElse(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(readToken)
	path, seen := streamOf(t, v.page("/"))
	events := v.stream(path + "&seen=" + seen)
	id := s.push("web", "new")
	c := changeOf(t, next(t, events))
	for _, part := range []string{"count", "queue", "projects", "recent"} {
		if c.Parts[part] == "" {
			t.Errorf("part %s did not come", part)
		}
	}
	if _, came := c.Parts["attention"]; came {
		t.Errorf("a part came that did not change: %s", c.Parts["attention"])
	}
	if want := fmt.Sprintf(`href="/deployments/%d"`, id); !strings.Contains(c.Parts["queue"], want) {
		t.Errorf("the queue has no %s: %s", want, c.Parts["queue"])
	}
	now := v.page("/")
	if _, seen := streamOf(t, now); seen != c.Version {
		t.Errorf("the page is version %s now, the stream said %s", seen, c.Version)
	}
}

// TestPartsDoNotDependOnTheTime: otherwise every page would change all the time.
func TestPartsDoNotDependOnTheTime(t *testing.T) {
	t.Parallel()
	s, pages := everything(t, 0)
	v := s.signedIn(adminToken)
	id, err := strconv.ParseInt(strings.TrimPrefix(pages["running"], "/deployments/"), 10, 64)
	s.must(err)
	for _, name := range []string{"overview", "project", "deployments", "deliveries", "incidents"} {
		path, seen := streamOf(t, v.page(pages[name]))
		events := v.stream(path, "Last-Event-ID", seen)
		_, err := s.store.Heartbeat(context.Background(), id, s.owner)
		s.must(err)
		again, _ := url.Parse(path)
		q := again.Query()
		q.Set("seen", "old")
		again.RawQuery = q.Encode()
		other := changeOf(t, next(t, v.stream(again.String()))) // several looks later
		if other.Version != seen {
			t.Errorf("%s: version %s became %s though nothing happened", name, seen, other.Version)
		}
		select {
		case e := <-events:
			t.Errorf("%s: %s though nothing happened: %s", name, e.kind, e.data)
		default:
		}
	}
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(readToken)
	id := s.push("web", "new")
	streams := []<-chan event{v.stream("/live?of=/"), v.stream(fmt.Sprintf("/deployments/%d/live", id))}
	if a := v.send("/sign-out"); a.status != http.StatusSeeOther {
		t.Fatal(a)
	}
	for _, events := range streams {
		var kinds []string
		for e := range events {
			kinds = append(kinds, e.kind)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != "leave" {
			t.Errorf("events %v, want leave at the end", kinds)
		}
	}
}

func TestOnlyPagesHaveStreams(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(readToken)
	for path, status := range map[string]int{
		"/live": 400, "/live?of=x": 400, "/live?of=//host/": 400, "/live?of=/settings": 404, "/live?of=/projects/none": 404,
		"/live?of=/deployments/99": 404, "/deployments/99/live": 404, "/deployments/x/live": 404,
	} {
		if a := v.get(path); a.status != status {
			t.Errorf("%s: %s", path, a)
		}
	}
	id := s.push("web", "new")
	if a := v.get(fmt.Sprintf("/deployments/%d/live?from=9:9x", id)); a.status != http.StatusBadRequest {
		t.Errorf("a position that is none: %s", a)
	}
}

func TestADeploymentIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(readToken)
	id := s.push("web", "new")
	page := v.page(fmt.Sprintf("/deployments/%d", id))
	path, seen := streamOf(t, page)
	events := v.stream(path + "?seen=" + seen)
	s.begin("web")
	if c := changeOf(t, next(t, events)); !strings.Contains(c.Parts["standing"], "running") || c.State != "active" {
		t.Errorf("it began: %+v", c)
	}
	s.print(id, deployer.StepFetch, "one", "two <b>")
	first := next(t, events)
	s.print(id, deployer.StepBuild, "three")
	second := next(t, events)
	var rows, more [][5]string
	s.must(json.Unmarshal([]byte(first.data), &rows))
	s.must(json.Unmarshal([]byte(second.data), &more))
	var got []string
	for _, r := range append(rows, more...) {
		got = append(got, r[1]+" "+r[3]+" "+r[4])
	}
	if diff := cmp.Diff([]string{"fetch o one", "fetch o two <b>", "build o three"}, got); diff != "" || second.id != more[len(more)-1][0] {
		t.Errorf("id %s, lines (-want +got):\n%s", second.id, diff)
	}
	s.finish(id, deployer.Failed, "it broke")
	if c := changeOf(t, next(t, events)); !strings.Contains(c.Parts["verdict"], "It broke.") || c.State != "over" {
		t.Errorf("it ended: %+v", c)
	}
	if e := next(t, events); e.kind != "end" {
		t.Errorf("%+v, want the end", e)
	}
	// Who comes back gets what is missing, and nothing twice.
	var again []string
	for e := range v.stream(path+"?seen="+seen, "Last-Event-ID", first.id) {
		if again = append(again, e.kind); e.kind == "lines" && e.data != second.data {
			t.Errorf("after %s came %s", first.id, e.data)
		}
	}
	if !slices.Equal(again, []string{"change", "lines", "end"}) {
		t.Errorf("events %v", again)
	}
}

func TestAQueuedDeploymentSaysWhyItWaits(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(readToken)
	s.must(s.store.Lock(context.Background(), deployer.Lock{Project: "web", Owner: "alice", Reason: "migration", CreatedAt: time.Now()}))
	id := s.push("web", "new")
	page := v.page(fmt.Sprintf("/deployments/%d", id))
	if !strings.Contains(page.body, "Locked by alice: migration.") {
		t.Errorf("%s", page.body)
	}
	path, seen := streamOf(t, page)
	events := v.stream(path + "?seen=" + seen)
	s.must(s.store.Unlock(context.Background(), "web"))
	if c := changeOf(t, next(t, events)); !strings.Contains(c.Parts["verdict"], "A runner is free") {
		t.Errorf("after it was unlocked: %+v", c)
	}
}
