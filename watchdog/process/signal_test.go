package process_test

import (
	"errors"
	"math"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func TestKillGroup(t *testing.T) {
	t.Parallel()
	t.Run("reaches everybody in it, and is no error afterwards", func(t *testing.T) {
		t.Parallel()
		first := start(t, "plain")
		second := startIn(t, first.Process.Pid, "plain")
		if err := process.KillGroup(first.Process.Pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for _, c := range []child{first, second} {
			eventually(t, "a member has ended", func() bool {
				s, err := process.Stat(c.Process.Pid)
				return err == nil && s.Ended()
			})
		}
		second.end(t)
		first.end(t)
		if err := process.KillGroup(first.Process.Pid, unix.SIGKILL); err != nil {
			t.Errorf("a group that is gone: %v", err)
		}
	})
	t.Run("refuses groups that cannot be meant", func(t *testing.T) {
		t.Parallel()
		for _, pgid := range []int{0, 1, -1, -4711, math.MinInt, unix.Getpgrp()} {
			if err := process.KillGroup(pgid, 0); !errors.Is(err, unix.EINVAL) { // signal 0 harms nobody
				t.Errorf("group %d: %v", pgid, err)
			}
		}
	})
	t.Run("says what is wrong with a signal", func(t *testing.T) {
		t.Parallel()
		c := start(t, "plain")
		if err := process.KillGroup(c.Process.Pid, 999); !errors.Is(err, unix.EINVAL) {
			t.Errorf("got %v", err)
		}
	})
}
