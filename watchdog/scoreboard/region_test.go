package scoreboard_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestWhatIsLeisurelyComesTogether(t *testing.T) {
	for now, want := range map[int64]time.Duration{
		0:             time.Second,
		1:             time.Second - 1,
		999_999_999:   1,
		1_000_000_000: time.Second,
		1_500_000_000: 500 * time.Millisecond,
	} {
		if got := scoreboard.Leisurely(now, time.Second); got != want {
			t.Errorf("at %d: in %v, want %v", now, got, want)
		}
	}
}
