package webhooks_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest/webhooks"
)

func TestASummaryCountsEverythingThatWasDue(t *testing.T) {
	t.Parallel()
	s := webhooks.Summary{
		Elapsed: 2 * time.Second, Status: map[int]int{202: 90, 200: 4, 503: 2, 101: 1}, Unanswered: 2, Unsent: 1,
		P50: 1234 * time.Microsecond, P99: 20 * time.Millisecond, Max: time.Second, Lag: 1004 * time.Microsecond,
	}
	if s.Accepted() != 94 || s.Due() != 100 || s.Rate() != 47 {
		t.Errorf("accepted %d, due %d, rate %v", s.Accepted(), s.Due(), s.Rate())
	}
	want := "47/s accepted; 1 × 101, 4 × 200, 90 × 202, 2 × 503, 2 unanswered, 1 never sent, p50 1.23ms, p99 20ms, max 1s, sender late by 1ms"
	if got := s.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if rate := (webhooks.Summary{}).Rate(); rate != 0 {
		t.Errorf("rate of nothing: %v", rate)
	}
}
