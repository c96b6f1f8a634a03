package attack_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// planned is how many hits of the first traffic are due before a time.
func planned(t *testing.T, s *loadtest.Scenario, at time.Duration) int {
	t.Helper()
	schedule, err := pace.In(s, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return int(schedule.Planned(at))
}
