package proxy_test

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

func TestJitterIsOfTheSeedAndTheConnection(t *testing.T) {
	t.Parallel()
	d := fault.Disturbance{Kind: fault.Latency, Latency: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Seed: 3}
	other := d
	other.Seed = 4
	first := proxy.Delays(d, 0, 1000)
	if !slices.Equal(first, proxy.Delays(d, 0, 1000)) {
		t.Error("the same connection is late otherwise")
	}
	if slices.Equal(first, proxy.Delays(d, 1, 1000)) || slices.Equal(first, proxy.Delays(other, 0, 1000)) {
		t.Error("another one is late the same")
	}
	if low, high := slices.Min(first), slices.Max(first); low < 15*time.Millisecond || low > 16*time.Millisecond || high > 25*time.Millisecond || high < 24*time.Millisecond {
		t.Errorf("between %s and %s late", low, high)
	}
}

func TestPiecesAreOfTheSeed(t *testing.T) {
	t.Parallel()
	d := fault.Disturbance{Kind: fault.Slicer, Bytes: 100, Vary: 10, Seed: 3}
	first := proxy.Pieces(d, 0, 1000)
	if !slices.Equal(first, proxy.Pieces(d, 0, 1000)) || slices.Equal(first, proxy.Pieces(d, 1, 1000)) {
		t.Error("they are not")
	}
	if low, high := slices.Min(first), slices.Max(first); low != 90 || high != 110 {
		t.Errorf("between %d and %d bytes", low, high)
	}
}

func TestSeedDecidesWhichConnectionsAreHit(t *testing.T) {
	t.Parallel()
	const connections = 60
	hit := func(seed uint64) (numbers []int) {
		s := tcp(t)
		s.disturb(t, fault.Disturbance{Kind: fault.Reset, Share: 0.3, Seed: seed})
		for i := range connections {
			client, server := s.dial(t)
			write(t, server, "x")
			var b [1]byte
			if _, err := client.Read(b[:]); errors.Is(err, unix.ECONNRESET) {
				numbers = append(numbers, i)
			} else if err != nil {
				t.Error(err)
			}
		}
		return numbers
	}
	first, again, other := hit(1), hit(1), hit(2)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if slices.Equal(first, other) {
		t.Errorf("another seed hits the same: %v", other)
	}
	// 18 are to be expected, and less than 3 or more than 40 in one case of millions.
	if len(first) < 3 || len(first) > 40 {
		t.Errorf("of %d connections %v were hit", connections, first)
	}
}

func TestShareIsTheSameForConnectionsThatAreThereAlready(t *testing.T) {
	t.Parallel()
	hit := func(before int) (numbers []int) {
		s := tcp(t)
		var clients, servers []net.Conn
		dial := func(n int) {
			for range n {
				c, u := s.dial(t)
				clients, servers = append(clients, c), append(servers, u)
			}
		}
		dial(before)
		s.disturb(t, fault.Disturbance{Kind: fault.LimitData, Share: 0.5, Seed: 7})
		dial(20 - before)
		for i, c := range clients {
			write(t, servers[i], "x")
			var b [1]byte
			if _, err := c.Read(b[:]); err != nil {
				numbers = append(numbers, i)
			}
		}
		return numbers
	}
	if diff := cmp.Diff(hit(0), hit(15)); diff != "" {
		t.Errorf("(-new +old):\n%s", diff)
	}
}
