package webhooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Sample is one request as its sender saw it.
type Sample struct {
	Status   int           // of the answer; 0 if none came
	Response time.Duration // from the moment it was due to the last byte of the answer, or to when it was given up
	Lag      time.Duration // how late the sender sent it through its own fault
}

// Summary is what became of many requests.
type Summary struct {
	Elapsed       time.Duration
	Status        map[int]int   // answers by status
	Unanswered    int           // the connection broke, was refused, or nothing came in time
	Unsent        int           // due, but never sent: every connection was busy to the end
	P50, P99, Max time.Duration // of Response, over everything that was due
	Lag           time.Duration // 99th percentile of the sender's own lateness
}

// Accepted returns how many requests were answered with 2xx.
func (s Summary) Accepted() int {
	n := 0
	for status, count := range s.Status {
		if status >= 200 && status < 300 {
			n += count
		}
	}
	return n
}

// Due returns how many requests there were in all.
func (s Summary) Due() int {
	n := s.Unanswered + s.Unsent
	for _, count := range s.Status {
		n += count
	}
	return n
}

// Rate returns the accepted requests per second.
func (s Summary) Rate() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Accepted()) / s.Elapsed.Seconds()
}

// String is the summary as one line, for people.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.0f/s accepted;", s.Rate())
	for _, status := range slices.Sorted(maps.Keys(s.Status)) {
		fmt.Fprintf(&b, " %d × %d,", s.Status[status], status)
	}
	if s.Unanswered > 0 {
		fmt.Fprintf(&b, " %d unanswered,", s.Unanswered)
	}
	if s.Unsent > 0 {
		fmt.Fprintf(&b, " %d never sent,", s.Unsent)
	}
	fmt.Fprintf(&b, " p50 %s, p99 %s, max %s", round(s.P50), round(s.P99), round(s.Max))
	if s.Lag > 0 {
		fmt.Fprintf(&b, ", sender late by %s", round(s.Lag))
	}
	return b.String()
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
