package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
	"github.com/seadog/seadog/deployer/transcript"
)

const (
	running = `{"id":7,"status":"running"}`
	over    = `{"id":7,"status":"succeeded"}`
)

func event(w http.ResponseWriter, id, kind, data string) {
	fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", id, kind, data)
	w.(http.Flusher).Flush()
}

func line(w http.ResponseWriter, n int) {
	event(w, fmt.Sprintf("0:%d", n), "line", fmt.Sprintf(`{"step":"build","line":"line %d"}`, n))
}

// follow collects what Follow hands out as one word per event.
func follow(t *testing.T, c *client.Client, from string) ([]string, error) {
	t.Helper()
	var got []string
	err := c.Follow(bounded(t), 7, from, func(e client.Event) error {
		switch e.Kind {
		case client.EventLine:
			got = append(got, e.Position+" "+e.Record.Line)
		default:
			got = append(got, string(e.Kind)+" "+string(e.Deployment.Status))
		}
		return nil
	})
	return got, err
}

func TestFollowGoesOnWhereTheStreamBroke(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	var positions [3]string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		positions[n-1] = r.Header.Get("Last-Event-ID")
		_, _ = io.WriteString(w, "retry: 1\n\n: hello\n\n")
		switch n {
		case 1:
			event(w, "0:0", "status", running)
			line(w, 1)
			_, _ = io.WriteString(w, "id: 0:2\nevent: line\ndata: {\"li") // cut in the middle of an event
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 2: // a worker that drains ends its streams in peace
			line(w, 2)
		case 3:
			line(w, 3)
			event(w, "0:3", "brand-new", "not even JSON")
			event(w, "0:3", "end", over)
		}
	})
	got, err := follow(t, c, "0:0")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"status running", "0:1 line 1", "0:2 line 2", "0:3 line 3", "end succeeded"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([3]string{"0:0", "0:1", "0:2"}, positions); diff != "" {
		t.Error(diff)
	}
}

func TestFollowLeavesASilentConnection(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "retry: 1\n\n")
		if requests.Add(1) == 1 {
			line(w, 1)
			<-r.Context().Done()
			return
		}
		event(w, "0:1", "end", over)
	}, func(c *client.Config) { c.Silence = 50 * time.Millisecond })
	got, err := follow(t, c, "")
	if diff := cmp.Diff([]string{"0:1 line 1", "end succeeded"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestASlowReaderIsNotASilentService(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	taken := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		line(w, 1)
		<-taken
		event(w, "0:1", "end", over)
	}, func(c *client.Config) { c.Silence = time.Second })
	err := c.Follow(bounded(t), 7, "", func(e client.Event) error {
		if e.Kind == client.EventLine {
			<-time.After(1500 * time.Millisecond) // the reader is what takes its time here
			close(taken)
		}
		return nil
	})
	if err != nil || requests.Load() != 1 {
		t.Errorf("got %v after %d requests", err, requests.Load())
	}
}

func TestFollowGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 1 {
			refuse(w, http.StatusServiceUnavailable, deployer.CodeUnavailable, "the store does not answer", "")
			return
		}
		_, _ = io.WriteString(w, "retry: 1\n\n")
		line(w, 1)
	}, func(c *client.Config) { c.Patience = 50 * time.Millisecond })
	_, err := follow(t, c, "")
	if deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	if n := requests.Load(); n < 3 {
		t.Errorf("%d requests, want several", n)
	}
}

func TestFollowTakesNoForAnAnswer(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			_, _ = io.WriteString(w, "retry: 1\n\n")
			return
		}
		refuse(w, http.StatusUnauthorized, deployer.CodeUnauthorized, "unknown token", "")
	})
	if _, err := follow(t, c, ""); deployer.CodeOf(err) != deployer.CodeUnauthorized {
		t.Errorf("got %v", err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestFollowDoesNotWaitForAServiceThatWasNeverThere(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	})
	if _, err := follow(t, c, ""); deployer.CodeOf(err) != deployer.CodeUnavailable || requests.Load() != 1 {
		t.Errorf("got %v after %d requests", err, requests.Load())
	}
}

func TestFollowEndsWithItsReader(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		line(w, 1)
		<-r.Context().Done()
	})
	enough := errors.New("enough")
	if err := c.Follow(bounded(t), 7, "", func(client.Event) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(bounded(t))
	err := c.Follow(ctx, 7, "", func(client.Event) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnEventThatNobodyCanReadIsAnError(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { event(w, "0:1", "line", "{") })
	if _, err := follow(t, c, ""); deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestTranscript(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200<<10)
	read := func(t *testing.T, c *client.Client) (lines []string, err error) {
		err = c.Transcript(bounded(t), 7, func(r transcript.Record) error {
			lines = append(lines, string(r.Step)+" "+r.Line)
			return nil
		})
		return lines, err
	}
	t.Run("comes line by line", func(t *testing.T) {
		t.Parallel()
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if accept := r.Header.Get("Accept"); accept != "application/x-ndjson" {
				t.Errorf("accepts %q", accept)
			}
			fmt.Fprintf(w, "{\"step\":\"fetch\",\"line\":\"a\"}\n{\"step\":\"build\",\"line\":%q}\n", long)
		})
		got, err := read(t, c)
		if diff := cmp.Diff([]string{"fetch a", "build " + long}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
	t.Run("that is cut short is an error", func(t *testing.T) {
		t.Parallel()
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{\"line\":\"a\"}\n{\"line\":\"b\"")
		})
		got, err := read(t, c)
		if len(got) != 1 || deployer.CodeOf(err) != deployer.CodeUnavailable {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("with an endless line is an error", func(t *testing.T) {
		t.Parallel()
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 2 << 10 {
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<10))
			}
		})
		if _, err := read(t, c); deployer.CodeOf(err) != deployer.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
