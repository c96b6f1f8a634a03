package process_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func TestRSSCountsNoSharedMemory(t *testing.T) {
	t.Parallel()
	c := start(t, "memory")
	n, err := process.RSS(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	// 32 MiB of its own, 64 MiB shared, and a Go program.
	if n < 32<<20 || n >= 64<<20 {
		t.Errorf("got %d MiB", n>>20)
	}
	if _, err := process.RSS(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no process: %v", err)
	}
	if _, err := process.Kilobytes([]byte("VmRSS:\tmany kB\n"), "VmRSS"); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a word: %v", err)
	}
}

func TestDescriptorsAreCounted(t *testing.T) {
	t.Parallel()
	c := start(t, "descriptors")
	n, err := process.Descriptors(c.Process.Pid)
	if err != nil || n < 1203 || n > 1220 { // 600 pipes, the three standard ones, and the runtime's
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := process.Descriptors(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no process: %v", err)
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	t.Run("shows where they wait", func(t *testing.T) {
		t.Parallel()
		c := start(t, "threads")
		eventually(t, "threads read", func() bool {
			threads, err := process.Threads(c.Process.Pid)
			if err != nil {
				t.Fatal(err)
			}
			reads := 0
			for _, th := range threads {
				if th.State == "S" && strings.HasPrefix(th.Syscall, fmt.Sprintf("%d 0x", unix.SYS_READ)) && strings.Contains(th.Wait, "pipe_read") {
					reads++
				}
			}
			return reads > 10
		})
	})
	t.Run("sees a frozen process, the main thread first, and not too many", func(t *testing.T) {
		t.Parallel()
		c := start(t, "threads")
		c.freeze(t)
		threads, err := process.Threads(c.Process.Pid)
		if err != nil || len(threads) == 0 || len(threads) > 256 {
			t.Fatalf("got %d threads, %v", len(threads), err)
		}
		if s, err := process.Stat(c.Process.Pid); err != nil || s.Threads <= 256 {
			t.Errorf("the child has %d threads: the bound is not tried (%v)", s.Threads, err)
		}
		if threads[0].TID != c.Process.Pid {
			t.Errorf("the first thread is %d, not the main thread %d", threads[0].TID, c.Process.Pid)
		}
		for _, th := range threads {
			if th.State != "T" {
				t.Errorf("thread %d of a stopped process is %s", th.TID, th.State)
			}
		}
	})
	t.Run("counts the time of one that runs", func(t *testing.T) {
		t.Parallel()
		c := start(t, "spin")
		eventually(t, "a running thread has used 50 ms", func() bool {
			threads, err := process.Threads(c.Process.Pid)
			if err != nil {
				t.Fatal(err)
			}
			for _, th := range threads {
				if th.CPUMS >= 50 && th.State == "R" && th.Syscall == "running" && th.Wait == "" {
					return true
				}
			}
			return false
		})
	})
	t.Run("knows none of no process", func(t *testing.T) {
		t.Parallel()
		if _, err := process.Threads(1 << 30); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}
