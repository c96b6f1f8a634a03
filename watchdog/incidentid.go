package watchdog

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
)

// NewIncidentID returns an id that sorts by time and is short enough to be
// read out over a telephone: 7 characters of time, 6 of chance.
func NewIncidentID(now time.Time) string {
	seconds := uint64(now.Unix())
	var clock [5]byte
	for i := range clock {
		clock[len(clock)-1-i] = byte(seconds >> (8 * i))
	}
	var chance [4]byte
	_, _ = rand.Read(chance[:]) // never fails
	enc := base32.HexEncoding.WithPadding(base32.NoPadding)
	return strings.ToLower(enc.EncodeToString(clock[:])[1:] + enc.EncodeToString(chance[:])[:6])
}
