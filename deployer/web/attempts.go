package web

import (
	"net/netip"
	"sync"
	"time"
)

// attempts bounds how often somebody may be wrong about a token. What it counts
// by is the address, or, for a browser that signed in before, the browser
// itself: so a stranger who uses up the attempts of an address that its owner
// shares keeps out nobody who has been here before. The API is not touched.
//
// It counts for one worker; with n workers there are n times as many attempts.
type attempts struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	spent float64
	at    time.Time
}

const (
	attemptsAtOnce = 10
	attemptEvery   = 6 * time.Second
	mostBuckets    = 4096
	otherBuckets   = "" // those for which there was no room share one
)

func newAttempts() *attempts { return &attempts{buckets: make(map[string]bucket)} }

// take uses up one attempt. If there is none left it returns how long it takes
// until there is.
func (a *attempts) take(who string, now time.Time) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	who = a.place(who, now)
	b := a.buckets[who].after(now)
	if b.spent+1 > attemptsAtOnce {
		return time.Duration((b.spent + 1 - attemptsAtOnce) * float64(attemptEvery)), false
	}
	b.spent++
	a.buckets[who] = b
	return 0, true
}

// back gives an attempt back that was no wrong one.
func (a *attempts) back(who string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b, ok := a.buckets[who]; ok {
		b = b.after(now)
		b.spent = max(0, b.spent-1)
		a.buckets[who] = b
	}
}

// place returns the bucket of who, and makes room for it.
func (a *attempts) place(who string, now time.Time) string {
	if _, known := a.buckets[who]; known || len(a.buckets) < mostBuckets {
		return who
	}
	for other, b := range a.buckets {
		if b.after(now).spent == 0 {
			delete(a.buckets, other)
		}
	}
	if len(a.buckets) < mostBuckets {
		return who
	}
	return otherBuckets
}

// after is the bucket as it is at a later time.
func (b bucket) after(now time.Time) bucket {
	if b.at.IsZero() {
		return bucket{at: now}
	}
	b.spent = max(0, b.spent-float64(now.Sub(b.at))/float64(attemptEvery))
	b.at = now
	return b
}

// neighbourhood is what an address is counted as: of IPv6 the network, because
// who has one address there has them all.
func neighbourhood(client string) string {
	addr, err := netip.ParseAddr(client)
	if err != nil || addr.Is4() {
		return client
	}
	const network = 64
	prefix, err := addr.Prefix(network)
	if err != nil {
		return client
	}
	return prefix.String()
}
