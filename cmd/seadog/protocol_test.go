package main

import (
	"fmt"
	"testing"

	"github.com/seadog/seadog/watchdog/handoff"
)

func TestABinaryThatCountsSomethingElseSpeaksAnotherProtocol(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{
		fmt.Sprintln(handoff.Protocol, fingerprint()): handoff.Protocol,
		fmt.Sprintln(handoff.Protocol, "cafe"):        foreign,
		fmt.Sprintln(handoff.Protocol):                foreign,
		fmt.Sprintln(2):                               2,
		fmt.Sprintln(99, fingerprint()):               99,
	} {
		if got, err := protocolIn(answer); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", answer, got, err, want)
		}
	}
	if _, err := protocolIn("what?"); err == nil {
		t.Error("nonsense is a protocol")
	}
}
