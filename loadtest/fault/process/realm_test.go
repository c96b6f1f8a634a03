package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest/fault/process"
)

// pidsOf closes processes and returns who they were.
func pidsOf(list []*process.Process) []int {
	var pids []int
	for _, p := range list {
		pids = append(pids, p.PID)
		p.Close()
	}
	return pids
}

func realm(t *testing.T, c process.Config) *process.Realm {
	t.Helper()
	r, err := process.NewRealm(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyDescendantsOfRootsAreFound(t *testing.T) {
	t.Parallel()
	ours, other := start(t, "parent"), start(t, "plain")
	r := realm(t, process.Config{Roots: []int{ours.Process.Pid}})
	for what, pid := range map[string]int{"a sibling of the root": other.Process.Pid, "this test": os.Getpid(), "its parent": os.Getppid(), "init": 1} {
		if list, err := r.Find(t.Context(), process.Want{PID: pid}); !errors.Is(err, process.ErrForeign) {
			t.Errorf("%s: found %v, %v", what, pidsOf(list), err)
		}
	}
	own := realm(t, process.Config{Roots: []int{os.Getpid()}})
	if list, err := own.Find(t.Context(), process.Want{PID: os.Getpid()}); !errors.Is(err, process.ErrForeign) {
		t.Errorf("this test, though it is a root: found %v, %v", pidsOf(list), err)
	}
	for _, w := range []process.Want{{PID: ours.Process.Pid}, {}, {Pool: "master", Index: -1}, {Pool: "worker", All: true}, {Pool: "worker", Index: 2}} {
		list, err := r.Find(t.Context(), w)
		if err != nil {
			t.Errorf("%+v: %v", w, err)
		}
		pidsOf(list)
	}
}

func TestAncestorsOfThisProgramAreNoRoots(t *testing.T) {
	t.Parallel()
	for _, pid := range []int{0, 1, os.Getppid()} {
		if _, err := process.NewRealm(process.Config{Roots: []int{pid}}); !errors.Is(err, process.ErrForeign) {
			t.Errorf("process %d as root: %v", pid, err)
		}
	}
	file := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(file, []byte(fmt.Sprintln(os.Getppid())), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, "plain")
	if _, err := realm(t, process.Config{PIDFile: file}).Find(t.Context(), process.Want{PID: c.Process.Pid}); !errors.Is(err, process.ErrForeign) {
		t.Errorf("a pid file that names the parent makes a sibling its own: %v", err)
	}
}

func TestWorkersAreTheChildrenInOrderOfTheirStart(t *testing.T) {
	t.Parallel()
	c := start(t, "parent")
	r := realm(t, process.Config{Roots: []int{os.Getpid(), c.Process.Pid}})
	all, err := r.Find(t.Context(), process.Want{Pool: "worker", All: true})
	if err != nil {
		t.Fatal(err)
	}
	pids := pidsOf(all)
	if len(pids) != 3 {
		t.Fatalf("workers %v", pids)
	}
	for i := range 3 {
		one, err := r.Find(t.Context(), process.Want{Pool: "worker", Index: i})
		if diff := cmp.Diff(pids[i:i+1], pidsOf(one)); diff != "" || err != nil {
			t.Errorf("worker %d (-want +got):\n%s%v", i, diff, err)
		}
	}
	if _, err := r.Find(t.Context(), process.Want{Pool: "worker", Index: 3}); err == nil || !strings.Contains(err.Error(), "there are 3") {
		t.Errorf("worker 3: %v", err)
	}
	if _, err := r.Find(t.Context(), process.Want{Pool: "runner", Index: -1}); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("a runner of nobody knows whom: %v", err)
	}
}

func TestSeedDecidesWhichOneOfAPoolIsMeant(t *testing.T) {
	t.Parallel()
	c := start(t, "parent")
	r := realm(t, process.Config{Roots: []int{c.Process.Pid}})
	pick := func(seed uint64) int {
		list, err := r.Find(t.Context(), process.Want{Pool: "worker", Index: -1, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return pidsOf(list)[0]
	}
	picked := map[int]bool{}
	for seed := range uint64(50) {
		first := pick(seed)
		if again := pick(seed); again != first {
			t.Errorf("seed %d means %d, and then %d", seed, first, again)
		}
		picked[first] = true
	}
	if len(picked) != 3 {
		t.Errorf("50 seeds meant %v", picked)
	}
}

func TestPoolIsWhatTheCallerSays(t *testing.T) {
	t.Parallel()
	mine, foreign := start(t, "plain"), start(t, "plain")
	members := []int{mine.Process.Pid}
	r := realm(t, process.Config{Roots: []int{mine.Process.Pid}, Pool: func(_ context.Context, name string) ([]int, error) {
		if name != "runner" {
			return nil, errors.New("never heard of it")
		}
		return members, nil
	}})
	list, err := r.Find(t.Context(), process.Want{Pool: "runner", Index: -1})
	if diff := cmp.Diff(members, pidsOf(list)); diff != "" || err != nil {
		t.Errorf("runner (-want +got):\n%s%v", diff, err)
	}
	if _, err := r.Find(t.Context(), process.Want{Pool: "worker"}); err == nil || !strings.Contains(err.Error(), "never heard of it") {
		t.Errorf("got %v", err)
	}
	members = append(members, foreign.Process.Pid)
	if list, err := r.Find(t.Context(), process.Want{Pool: "runner", All: true}); !errors.Is(err, process.ErrForeign) {
		t.Errorf("a foreign process in the pool: %v, %v", pidsOf(list), err)
	}
	members = nil
	if _, err := r.Find(t.Context(), process.Want{Pool: "runner", Index: -1}); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("an empty pool: %v", err)
	}
}

func TestPIDFilesAreReadEachTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "service.pid")
	r := realm(t, process.Config{PIDFile: file})
	if _, err := r.Find(t.Context(), process.Want{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	for range 2 {
		c := start(t, "plain")
		if err := os.WriteFile(file, []byte(fmt.Sprintln(c.Process.Pid)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, w := range []process.Want{{}, {File: file}, {PID: c.Process.Pid}} {
			list, err := r.Find(t.Context(), w)
			if diff := cmp.Diff([]int{c.Process.Pid}, pidsOf(list)); diff != "" || err != nil {
				t.Errorf("%+v (-want +got):\n%s%v", w, diff, err)
			}
		}
	}
	if err := os.WriteFile(file, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(t.Context(), process.Want{}); err == nil || !strings.Contains(err.Error(), "is no pid") {
		t.Errorf("init in a pid file: %v", err)
	}
}

func TestProcessThatIsGoneIsNotFound(t *testing.T) {
	t.Parallel()
	c := start(t, "parent")
	r := realm(t, process.Config{Roots: []int{c.Process.Pid}})
	pid := pidsOf(find(t, c.Process.Pid))[0]
	_ = c.Process.Kill()
	_ = c.Wait()
	if _, err := r.Find(t.Context(), process.Want{PID: pid}); !errors.Is(err, process.ErrGone) {
		t.Errorf("a process that is gone: %v", err)
	}
	if _, err := process.NewRealm(process.Config{Roots: []int{pid}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a root that is gone: %v", err)
	}
}

func TestPoolIsGivenAMomentToReplaceAProcess(t *testing.T) {
	t.Parallel()
	dead, zombie, fresh := start(t, "plain"), start(t, "plain"), start(t, "plain")
	_ = dead.Process.Kill()
	_ = dead.Wait()
	_ = zombie.Process.Kill()
	eventually(t, "it is a zombie", func() bool { return state(zombie.Process.Pid) == "Z" })
	answers := [][]int{{}, {dead.Process.Pid}, {zombie.Process.Pid}, {fresh.Process.Pid}}
	r := realm(t, process.Config{Roots: []int{os.Getpid()}, Pool: func(context.Context, string) ([]int, error) {
		answer := answers[0]
		answers = answers[1:]
		return answer, nil
	}})
	list, err := r.Find(t.Context(), process.Want{Pool: "worker", Index: 0})
	if diff := cmp.Diff([]int{fresh.Process.Pid}, pidsOf(list)); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}
