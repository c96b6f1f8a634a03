package observe_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

// points collects what an observer hands on.
type points map[string]float64

func (p points) take(name string, point loadtest.Point) { p[name] = point.Value }

func TestSumIsOverOneScrape(t *testing.T) {
	t.Parallel()
	p, target := serve(t, metrics)
	wants := want(t, "hits_total", "nothing")
	o := watch(t, observe.Config{Target: target, Wants: wants})
	if _, ok := o.Sum(wants[0]); ok || o.Answers() {
		t.Error("there is a sum before the first scrape")
	}
	if err := o.Scrape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok := o.Sum(wants[0]); !ok || got.Value != 8 || !o.Answers() {
		t.Errorf("got %v, %t, want 8", got, ok)
	}
	if got, ok := o.Sum(wants[1]); ok {
		t.Errorf("a metric that is not there sums up to %v", got)
	}
	p.show(`hits_total{code="200"} 9` + "\n")
	if err := o.Scrape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := o.Sum(wants[0]); got.Value != 9 {
		t.Errorf("got %v, want 9 of the last scrape", got)
	}
	if text, _ := o.Text(); string(text) != "hits_total{code=\"200\"} 9\n" {
		t.Errorf("the last text is %q", text)
	}
}

func TestNounsComeFromTheBestSource(t *testing.T) {
	t.Parallel()
	const library = "go_goroutines 11\ngo_memstats_heap_alloc_bytes 900\nprocess_resident_memory_bytes 5000\nprocess_open_fds 8\ngo_threads 6\n"
	for name, c := range map[string]struct {
		text string
		get  points
	}{
		"a client library": {library, points{"goroutines": 11, "heap_live": 900, "rss": 5000, "fds": 8, "threads": 6}},
		"live bytes":       {library + "go_gc_heap_live_bytes 400\n", points{"goroutines": 11, "heap_live": 400, "rss": 5000, "fds": 8, "threads": 6}},
		"seadog's workers": {library + `seadog_worker_resident_bytes{pool="http",worker="0"} 100
seadog_worker_resident_bytes{pool="http",worker="1"} 200
seadog_worker_goroutines{pool="http",worker="0"} 5
seadog_worker_goroutines{pool="runner",worker="0"} 6
seadog_worker_heap_live_bytes{pool="http",worker="0"} 50
seadog_worker_open_fds{pool="http",worker="0"} 9
`, points{"goroutines": 11, "heap_live": 50, "rss": 300, "fds": 9, "threads": 6}},
		"nothing": {"up 1\n", points{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, target := serve(t, c.text)
			got := points{}
			if err := watch(t, observe.Config{Target: target, Point: got.take}).Scrape(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.get, got); diff != "" {
				t.Errorf("nouns (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABetterSourceBeginsANewSeries(t *testing.T) {
	t.Parallel()
	p, target := serve(t, "process_resident_memory_bytes 1\n")
	o := watch(t, observe.Config{Target: target})
	for _, text := range []string{"process_resident_memory_bytes 2\n", "seadog_worker_resident_bytes 70\n", "process_resident_memory_bytes 3\n", "seadog_worker_resident_bytes 80\n"} {
		p.show(text)
		if err := o.Scrape(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var got []float64
	for _, p := range o.Series()[0].Points {
		got = append(got, p.Value)
	}
	if diff := cmp.Diff([]float64{70, 80}, got); diff != "" {
		t.Errorf("rss (-want +got):\n%s", diff)
	}
}

func TestScrapesThatFailAreGaps(t *testing.T) {
	t.Parallel()
	p, target := serve(t, "up 1\n")
	target.Every = time.Minute // so that a page of 16 MiB may take its time
	o := watch(t, observe.Config{Target: target})
	for _, c := range []struct {
		status int
		text   string
		fails  string
	}{
		{200, "up 1\n", ""},
		{503, "up 1\n", "answered 503"},
		{200, "<html>hello</html>\n", "not Prometheus text"},
		{200, "up 1\n", ""},
		{200, strings.Repeat("#", 17<<20), "more than 16 MiB"},
	} {
		p.show(c.text)
		p.status.Store(int32(c.status))
		err := o.Scrape(t.Context())
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%d %.20q: %v, want %q", c.status, c.text, err, c.fails)
		}
		if o.Answers() != (c.fails == "") {
			t.Errorf("%d %.20q: answers is %t", c.status, c.text, o.Answers())
		}
	}
	got := o.Gone()
	if len(got) != 2 || got[0].Missed != 2 || got[0].Open || got[1].Missed != 1 || !got[1].Open ||
		got[0].Source != observe.Metrics || !(got[0].From < got[0].To && got[0].To < got[1].From) {
		t.Errorf("gaps: %+v", got)
	}
}

func TestErrorsDoNotShowTheAddress(t *testing.T) {
	t.Parallel()
	o := watch(t, observe.Config{Target: loadtest.Target{Metrics: loadtest.Endpoint{URL: "http://user:hush@127.0.0.1:1/metrics"}}})
	if err := o.Scrape(t.Context()); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}

// TestASilentServiceIsStillSeenFromOutside: metrics hang, /proc does not.
func TestASilentServiceIsStillSeenFromOutside(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(hold)
	seen := make(chan string, 1000)
	target := loadtest.Target{Metrics: loadtest.Endpoint{URL: server.URL}, PID: os.Getpid(), Every: 10 * time.Millisecond}
	o := watch(t, observe.Config{Target: target, Point: func(name string, p loadtest.Point) {
		if name == "fds" && p.Value >= 3 {
			select {
			case seen <- name:
			default:
			}
		}
	}})
	run(t, o, func() { <-seen })
	gone := o.Gone()
	if len(gone) != 1 || !gone[0].Open || !strings.Contains(gone[0].Why, "no answer within 1s") {
		t.Errorf("gaps: %+v", gone)
	}
}

// run runs o while f lasts.
func run(t *testing.T, o *observe.Observer, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	f()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestMemoryOfASeriesIsBounded(t *testing.T) {
	t.Parallel()
	const n = 100_000
	ramp := func(yield func(loadtest.Point) bool) {
		for i := range n {
			if !yield(loadtest.Point{At: time.Duration(i+1) * time.Second, Value: float64(i + 1)}) {
				return
			}
		}
	}
	for _, counts := range []bool{true, false} {
		s := observe.Keep("x_seconds_total", counts, ramp)
		if len(s.Points) > observe.MostPoints || len(s.Points) < observe.MostPoints/2 {
			t.Errorf("%d points are kept", len(s.Points))
		}
		if s.Unit != loadtest.Seconds {
			t.Errorf("unit %q", s.Unit)
		}
		before := 0.0
		for i, p := range s.Points[1 : len(s.Points)-1] {
			if apart := s.Points[1].At - s.Points[0].At; p.At-s.Points[i].At != apart {
				t.Fatalf("point %d is %s after the one before, the others %s", i+1, p.At-s.Points[i].At, apart)
			}
		}
		for _, p := range s.Points {
			if at := p.At.Seconds(); p.Value > at || p.Value <= before || counts && p.Value != at {
				t.Fatalf("counter %t: %v at %v s", counts, p.Value, at)
			}
			before = p.At.Seconds() // what comes later has a mean above it
		}
		if last := s.Points[len(s.Points)-1]; last.At != n*time.Second {
			t.Errorf("the last point is at %s", last.At)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := observe.New(observe.Config{}); err == nil {
		t.Error("an observer without a clock")
	}
	since := func() time.Duration { return 0 }
	if _, err := observe.New(observe.Config{Since: since, Target: loadtest.Target{Every: time.Millisecond}}); err == nil || !strings.Contains(err.Error(), "10ms") {
		t.Errorf("every 1 ms: %v", err)
	}
	o := watch(t, observe.Config{Since: since})
	run(t, o, func() {})
	if err := o.Scrape(t.Context()); err == nil {
		t.Error("a scrape of nothing")
	}
}

func TestRunEndsWhateverTheServiceDoes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // the head, and then nothing
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	for range 50 {
		o := watch(t, observe.Config{Target: loadtest.Target{Metrics: loadtest.Endpoint{URL: server.URL}, PID: os.Getpid()}})
		run(t, o, func() {})
		if gone := o.Gone(); len(gone) != 0 {
			t.Errorf("the end of the run is taken for a gap: %+v", gone)
		}
	}
}

func BenchmarkScrape(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(observe.Name("seadog_http_requests_total", loadtest.Label{Name: "route", Value: strconv.Itoa(i)}) + " 17\n")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text.String()) }))
	defer server.Close()
	o, err := observe.New(observe.Config{
		Target: loadtest.Target{Metrics: loadtest.Endpoint{URL: server.URL}}, Since: func() time.Duration { return 1 },
		Wants: []observe.Want{{Metric: "seadog_http_requests_total", Labels: []loadtest.Label{{Name: "route", Value: "7"}}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := o.Scrape(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
