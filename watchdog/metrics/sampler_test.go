package metrics_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seadog/seadog/watchdog/metrics"
)

// buckets writes a histogram of the pool web as it is exposed.
func buckets(route string, counts map[string]int, sum string) string {
	var b strings.Builder
	for _, le := range []string{
		"0.001", "0.0025", "0.005", "0.01", "0.025", "0.03", "0.05", "0.1", "0.2", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf",
	} {
		fmt.Fprintf(&b, "seadog_http_request_duration_seconds_bucket{pool=\"web\",route=%q,le=%q} %d\n", route, le, counts[le])
	}
	fmt.Fprintf(&b, "seadog_http_request_duration_seconds_sum{pool=\"web\",route=%q} %s\n", route, sum)
	fmt.Fprintf(&b, "seadog_http_request_duration_seconds_count{pool=\"web\",route=%q} %d\n", route, counts["+Inf"])
	return b.String()
}

func TestAKernelThatHangsDoesNotHoldUpAScrape(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const wait = 20 * time.Millisecond
		var taken atomic.Int64
		hang := make(chan struct{})
		s := metrics.NewSampler(time.Second, wait, func() int64 {
			n := taken.Add(1)
			if n == 2 {
				<-hang
			}
			return n
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		expect := func(value int64, up bool, within time.Duration) {
			t.Helper()
			began := time.Now()
			got, gotUp := s.Latest()
			if got != value || gotUp != up || time.Since(began) > within {
				t.Errorf("%d (up: %t) after %s, want %d (up: %t) within %s", got, gotUp, time.Since(began), value, up, within)
			}
		}
		expect(1, true, 0)
		expect(1, true, 0) // it is young
		time.Sleep(2 * time.Second)
		expect(1, true, wait) // the next one has been waited for only now
		time.Sleep(metrics.Patience)
		expect(1, false, wait)
		close(hang)
		synctest.Wait()
		expect(2, true, 0)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestBeforeTheFirstSampleNothingIsUp(t *testing.T) {
	t.Parallel()
	s := metrics.NewSampler(time.Second, time.Millisecond, func() int64 { return 1 })
	if _, up := s.Latest(); up {
		t.Error("up without a sample")
	}
}
