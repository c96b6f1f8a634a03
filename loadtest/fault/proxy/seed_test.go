package proxy_test

import (
	"slices"
	"testing"
	"time"

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
