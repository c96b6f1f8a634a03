package deployer_test

import (
	"errors"
	"testing"

	"github.com/seadog/seadog/deployer"
)

// moves are all legal ones.
var moves = map[deployer.Status][]deployer.Status{
	deployer.Queued: {deployer.Running, deployer.Canceled, deployer.Superseded},
	deployer.Running: {
		deployer.Succeeded, deployer.Failed, deployer.TimedOut, deployer.Canceled, deployer.Interrupted,
	},
}

func TestStatusMovesExactlyAsTheTableSays(t *testing.T) {
	t.Parallel()
	all := append(deployer.Statuses(), "", "unheard of")
	for _, from := range all {
		for _, to := range all {
			legal := false
			for _, s := range moves[from] {
				legal = legal || s == to
			}
			got, err := from.To(to)
			switch {
			case legal && (err != nil || got != to):
				t.Errorf("%q to %q: got %q, %v", from, to, got, err)
			case !legal && (!errors.Is(err, deployer.ErrIllegalMove) || got != from):
				t.Errorf("%q to %q: got %q, %v; want %q and an illegal move", from, to, got, err, from)
			}
		}
	}
}

func TestStatusIsFinalIfItHasNoMoves(t *testing.T) {
	t.Parallel()
	for _, s := range deployer.Statuses() {
		if got, want := s.Final(), len(moves[s]) == 0; got != want {
			t.Errorf("%s: final is %v, want %v", s, got, want)
		}
	}
}

func TestStatusRunsAgainAfterEveryEndThatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for s, want := range map[deployer.Status]bool{
		deployer.Queued: false, deployer.Running: false, deployer.Succeeded: false, deployer.Superseded: false,
		deployer.Failed: true, deployer.TimedOut: true, deployer.Canceled: true, deployer.Interrupted: true,
	} {
		if got := s.RunsAgain(); got != want {
			t.Errorf("%s: runs again is %v, want %v", s, got, want)
		}
	}
	if got := len(deployer.Statuses()); got != 8 {
		t.Errorf("%d statuses; this test knows 8", got)
	}
}
