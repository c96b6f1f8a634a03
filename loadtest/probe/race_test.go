package probe_test

import (
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
)

// through returns a probe above a client of the test's own.
func through(t *testing.T, timeout time.Duration, client roundTripper) (*probe.Probe, *probe.Request) {
	t.Helper()
	const base = "http://127.0.0.1:1"
	p := run(t, probe.Config{Client: loadtest.Client{Timeout: timeout}, BaseURL: base, Start: time.Now(), Through: client})
	return p, request(t, "POST", base, "", loadtest.Expect{})
}

// sent does what net/http does with a trace.
func sent(r *http.Request, connections int) *http.Response {
	trace := httptrace.ContextClientTrace(r.Context())
	for range connections {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	return &http.Response{StatusCode: 200, Body: http.NoBody}
}

// TestASecondConnectionIsNoSuccess: net/http takes another one if the first had
// ended before anything was written. A sender of its own would have failed.
func TestASecondConnectionIsNoSuccess(t *testing.T) {
	t.Parallel()
	for connections, want := range map[int]loadtest.Outcome{1: loadtest.OK, 2: loadtest.Broken} {
		p, r := through(t, time.Minute, func(r *http.Request) (*http.Response, error) { return sent(r, connections), nil })
		for range 3 {
			if got := send(p, r); got.Outcome != want || want == loadtest.Broken && got.Class != "connection closed" {
				t.Errorf("%d connections: %s %q", connections, got.Outcome, got.Class)
			}
		}
	}
}

// TestAnAnswerThatComesWithItsTimeOutHarmsNobodyElse: the context that has been
// cancelled is not used by the next request.
func TestAnAnswerThatComesWithItsTimeOutHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	n := 0
	p, r := through(t, 50*time.Millisecond, func(r *http.Request) (*http.Response, error) {
		if n++; n == 1 {
			<-r.Context().Done()
			return sent(r, 1), nil
		}
		return sent(r, 1), r.Context().Err()
	})
	first, second := send(p, r), send(p, r)
	if first.Outcome != loadtest.OK || second.Outcome != loadtest.OK {
		t.Errorf("got %s, %s", first.Outcome, second.Outcome)
	}
}
