package webhooks

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of every attack, so that a slip of the pen harms nobody.
const (
	maxConnections = 20_000
	maxDuration    = 5 * time.Minute
	maxRate        = 100_000
)

// Config says what to send, and where to.
type Config struct {
	Address  string        // IP:port; loopback only
	Hooks    []string      // deliveries take turns: POST /hooks/{hook}
	Secret   string        // of every hook
	Size     int           // bytes of a body; 7 KiB if 0
	Distinct int           // bodies that are built and signed ahead; 1024 if 0
	Timeout  time.Duration // how long to wait for what is still out at the end of an attack; 10 s if 0
}

// Validate reports the first thing that is wrong with c.
func (c Config) Validate() error {
	address, err := netip.ParseAddrPort(c.Address)
	switch {
	case err != nil:
		return fmt.Errorf("address: %w", err)
	case !address.Addr().IsLoopback():
		return fmt.Errorf("%s is not on the loopback: only this machine may be attacked", c.Address)
	case len(c.Hooks) == 0:
		return errors.New("no hooks")
	case c.Size < 0 || c.Size > 25<<20:
		return fmt.Errorf("a body of %d bytes", c.Size)
	case c.Distinct < 0 || c.Timeout < 0:
		return errors.New("a negative number")
	}
	return nil
}

// Sender holds deliveries that are ready to go. Every delivery that it sends
// has an id of its own. Attacks may run one after the other.
type Sender struct {
	config     Config
	deliveries []delivery
	run        [12]byte
	sent       atomic.Uint64
}

// New builds and signs the deliveries.
func New(c Config) (*Sender, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	c.Size = cmp.Or(c.Size, 7<<10)
	c.Distinct = cmp.Or(c.Distinct, 1024)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	s := &Sender{config: c, deliveries: make([]delivery, c.Distinct)}
	_, _ = rand.Read(s.run[:]) // never fails
	for i := range s.deliveries {
		d, err := newDelivery(c.Address, c.Hooks[i%len(c.Hooks)], c.Secret, c.Size)
		if err != nil {
			return nil, fmt.Errorf("sender: %w", err)
		}
		s.deliveries[i] = d
	}
	return s, nil
}

// Sent returns how many deliveries were sent, or tried to, so far.
func (s *Sender) Sent() uint64 { return s.sent.Load() }

// next returns a delivery and the number that its id is made of.
func (s *Sender) next() (delivery, uint64) {
	n := s.sent.Add(1)
	return s.deliveries[n%uint64(len(s.deliveries))], n
}

// summarise adds up what the connections saw.
func summarise(elapsed time.Duration, samples [][]Sample) Summary {
	responses := hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
	lags := hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
	s := Summary{Elapsed: elapsed, Status: map[int]int{}}
	for _, connection := range samples {
		for _, sample := range connection {
			record(responses, sample.Response)
			s.Max = max(s.Max, sample.Response)
			record(lags, sample.Lag)
			switch sample.Status {
			case unsent:
				s.Unsent++
			case 0:
				s.Unanswered++
			default:
				s.Status[sample.Status]++
			}
		}
	}
	s.P50, s.P99 = min(quantile(responses, 50), s.Max), min(quantile(responses, 99), s.Max) // a bucket may reach beyond it
	s.Lag = quantile(lags, 99)
	return s
}

// unsent marks the sample of a delivery for which there was no connection to the end.
const unsent = -1

func record(h *hdrhistogram.Histogram, d time.Duration) {
	// What exceeds the range, which no bounded attack can reach, would be dropped.
	_ = h.RecordValue(d.Microseconds())
}

func quantile(h *hdrhistogram.Histogram, q float64) time.Duration {
	return time.Duration(h.ValueAtQuantile(q)) * time.Microsecond
}
