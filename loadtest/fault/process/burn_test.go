package process_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest/fault/process"
)

// burner finds the helper that burns among our children.
func burner(t *testing.T) (pid int) {
	t.Helper()
	eventually(t, "there is a burner", func() bool {
		dirs, err := os.ReadDir("/proc")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dirs {
			n, err := strconv.Atoi(d.Name())
			if err != nil {
				continue
			}
			env, _ := os.ReadFile("/proc/" + d.Name() + "/environ")
			stat, _ := os.ReadFile("/proc/" + d.Name() + "/stat")
			if strings.Contains(string(env), role+"=helper burn") && strings.Contains(string(stat), " "+strconv.Itoa(os.Getpid())+" ") {
				pid = n
				return true
			}
		}
		return false
	})
	return pid
}

func TestBurnerTakesProcessorTimeUntilUndo(t *testing.T) {
	// Not parallel: there is one burner at a time.
	b, err := process.Burn(helper, 1, 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	pid := burner(t)
	eventually(t, "it burns, politely", func() bool {
		threads, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		for _, thread := range threads {
			stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + thread.Name() + "/stat")
			_, rest, _ := strings.Cut(string(stat), ") ")
			if f := strings.Fields(rest); len(f) > 16 && f[16] == "10" && f[11] != "0" {
				return true
			}
		}
		return false
	})
	for range 2 {
		if err := b.Undo(); err != nil {
			t.Error(err)
		}
	}
	if s := state(pid); s != "" {
		t.Errorf("it is still there, in state %s", s)
	}
	if b.Effects()["milliseconds of processor"] == 0 {
		t.Errorf("effects %v", b.Effects())
	}
}

func TestBurnerThatEndsByItselfIsAnErrorToUndo(t *testing.T) {
	b, err := process.Burn(helper, 1, 0, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	pid := burner(t)
	eventually(t, "it has ended", func() bool { return state(pid) == "Z" })
	if err := b.Undo(); err == nil || !strings.Contains(err.Error(), "by itself") {
		t.Errorf("got %v", err)
	}
}

func TestBurnerEndsWithItsPipe(t *testing.T) {
	t.Parallel()
	cmd := helper("burn", "1", "0", "1m")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestHelperRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"nothing"}, {"burn"}, {"burn", "x", "0", "1s"}, {"burn", "1", "x", "1s"}, {"burn", "1", "0", "x"}} {
		if err := process.Help(args, strings.NewReader("")); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
