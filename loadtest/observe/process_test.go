package observe_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

func TestAProcessIsReadWithItsChildren(t *testing.T) {
	t.Parallel()
	cmd := child(t)
	if tree := observe.Tree(os.Getpid()); tree[0] != os.Getpid() || !slices.Contains(tree, cmd.Process.Pid) {
		t.Errorf("the tree of %d is %v, without its child %d", os.Getpid(), tree, cmd.Process.Pid)
	}
	if tree := observe.Tree(math.MaxInt32); tree != nil {
		t.Errorf("a process that is not there has the tree %v", tree)
	}
	file := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := points{}
	seen := make(chan struct{}, 1000)
	o := watch(t, observe.Config{Target: loadtest.Target{PIDFile: file, Every: 10 * time.Millisecond}, Point: func(name string, p loadtest.Point) {
		if _, known := got[name]; !known { // later it is being killed
			got[name] = p.Value
		}
		if len(got) == 3 {
			select {
			case seen <- struct{}{}:
			default:
			}
		}
	}})
	run(t, o, func() {
		<-seen
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		for len(o.Gone()) == 0 {
			runtime.Gosched()
		}
	})
	if got["rss"] < 1<<20 || got["rss"] > sharedBytes || got["threads"] < 1 || got["fds"] < 3 {
		t.Errorf("got %v", got)
	}
	if gone := o.Gone(); gone[0].Source != observe.Process || !strings.Contains(gone[0].Why, "there is no process") {
		t.Errorf("gaps: %+v", gone)
	}
	var names []string
	for _, s := range o.Series() {
		names = append(names, s.Name+" "+string(s.Unit))
	}
	if diff := cmp.Diff([]string{"fds ", "rss B", "threads "}, names); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestPIDFilesThatCannotBeUsedAreExplained(t *testing.T) {
	t.Parallel()
	for text, complaint := range map[string]string{"": "number of a process", "seadog\n": `"seadog"`, "-3": "-3", "0": "0"} {
		file := filepath.Join(t.TempDir(), "pid")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := observe.ReadPID(file); err == nil || !strings.Contains(err.Error(), complaint) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := observe.ReadPID("/nowhere/pid"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
