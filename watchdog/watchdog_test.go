package watchdog_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
)

func TestBackoffRestartsAtOnceTwiceThenWaits(t *testing.T) {
	t.Parallel()
	var b watchdog.Backoff
	for _, c := range []struct {
		early    int
		low, top time.Duration
	}{
		{0, 0, 0},
		{1, 0, 0},
		{2, 0, 0},
		{3, 250 * time.Millisecond, 500 * time.Millisecond},
		{4, 500 * time.Millisecond, time.Second},
		{5, time.Second, 2 * time.Second},
		{8, 8 * time.Second, 16 * time.Second},
		{9, 15 * time.Second, 30 * time.Second},
		{1 << 40, 15 * time.Second, 30 * time.Second},
	} {
		if got := b.Delay(c.early, 0); got != c.low {
			t.Errorf("Delay(%d, 0) = %s, want %s", c.early, got, c.low)
		}
		if got := b.Delay(c.early, 0.999999); got > c.top || got < c.top-time.Millisecond {
			t.Errorf("Delay(%d, almost 1) = %s, want almost %s", c.early, got, c.top)
		}
	}
}

func TestALongLifeForgetsEarlyDeaths(t *testing.T) {
	t.Parallel()
	var b watchdog.Backoff
	for _, c := range []struct {
		before int
		lived  time.Duration
		want   int
	}{
		{0, 0, 1},
		{4, 59 * time.Second, 5},
		{4, 60 * time.Second, 0},
		{0, time.Hour, 0},
	} {
		if got := b.Early(c.before, c.lived); got != c.want {
			t.Errorf("Early(%d, %s) = %d, want %d", c.before, c.lived, got, c.want)
		}
	}
	short := watchdog.Backoff{Free: 1, First: time.Second, Max: 3 * time.Second, Settled: time.Minute}
	if got := short.Delay(2, 0); got != 500*time.Millisecond {
		t.Errorf("Delay of a policy with one free restart: %s", got)
	}
}

func TestPoolSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	good := watchdog.Pool{Name: "http", Count: 2}
	if err := good.Validate(); err != nil {
		t.Errorf("a good pool: %v", err)
	}
	for want, change := range map[string]func(*watchdog.Pool){
		"lower-case word":           func(p *watchdog.Pool) { p.Name = "HTTP" },
		"at most 31 letters":        func(p *watchdog.Pool) { p.Name = strings.Repeat("a", 32) },
		`pool ""`:                   func(p *watchdog.Pool) { p.Name = "" },
		"0 workers: must be":        func(p *watchdog.Pool) { p.Count = 0 },
		"257 workers: must be":      func(p *watchdog.Pool) { p.Count = 257 },
		"pool http: negative limit": func(p *watchdog.Pool) { p.KillGrace = -1 },
	} {
		p := good
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q", err, want)
		}
	}
}

func TestPoolDefaults(t *testing.T) {
	t.Parallel()
	p := watchdog.Pool{}.WithDefaults(8)
	if p.GOMAXPROCS != 16 || p.ReadyWithin != 30*time.Second || p.StopGrace != 30*time.Second ||
		p.KillGrace != 5*time.Second || p.DeathSignal != syscall.SIGKILL {
		t.Errorf("defaults: %+v", p)
	}
	own := watchdog.Pool{GOMAXPROCS: 1, ReadyWithin: 1, StopGrace: 1, KillGrace: 1, DeathSignal: syscall.SIGTERM}
	if got := own.WithDefaults(8); got.GOMAXPROCS != 1 || got.ReadyWithin != 1 || got.StopGrace != 1 || got.KillGrace != 1 || got.DeathSignal != syscall.SIGTERM {
		t.Errorf("defaults replaced what was set: %+v", got)
	}
	if got := watchdog.DefaultProcs(1); got != 4 {
		t.Errorf("DefaultProcs(1) = %d", got)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	if got := (watchdog.ID{Pool: "http", Index: 3}).String(); got != "http/3" {
		t.Errorf("ID: %q", got)
	}
	d := watchdog.Death{Pool: "http", Index: 1, ExitCode: 2, UptimeMS: 1500}
	if got := d.Status(); got != "exit status 2" {
		t.Errorf("Status: %q", got)
	}
	if d.Signal = "SIGSEGV"; d.Status() != "SIGSEGV" {
		t.Errorf("Status: %q", d.Status())
	}
	if d.Uptime() != 1500*time.Millisecond || d.ID() != (watchdog.ID{Pool: "http", Index: 1}) {
		t.Errorf("death: %s %s", d.Uptime(), d.ID())
	}
	seen := map[string]bool{}
	for s := watchdog.Absent; s <= watchdog.Killed+1; s++ {
		if seen[s.String()] {
			t.Errorf("two states are called %q", s)
		}
		seen[s.String()] = true
	}
	if !seen["unknown"] || !seen["ready"] {
		t.Errorf("states: %v", seen)
	}
}
