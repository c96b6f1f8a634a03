package process_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// start starts a fake outside of Run, and returns it once it has spoken.
func start(t *testing.T, what, marker string) *exec.Cmd {
	t.Helper()
	return startAll(t, what, marker, 1)
}

// startAll returns when so many processes of what was started have said that
// they are ready.
func startAll(t *testing.T, what, marker string, processes int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{fakeVariable + "=" + what, process.MarkerVariable + "=" + marker}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	for range processes {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return cmd
}

func TestLiveness(t *testing.T) {
	t.Parallel()
	self, err := process.Self("here")
	if err != nil {
		t.Fatal(err)
	}
	if self.PID != os.Getpid() || self.Started == 0 || len(self.Boot) != 36 || self.Node != "here" {
		t.Errorf("self = %+v", self)
	}
	cmd := start(t, "silent", t.Name())
	child := deployer.Owner{Node: self.Node, Boot: self.Boot, PID: cmd.Process.Pid, Started: started(t, cmd.Process.Pid)}
	with := func(change func(*deployer.Owner)) deployer.Owner {
		o := child
		change(&o)
		return o
	}
	check := func(name string, o deployer.Owner, want deployer.Liveness) {
		t.Helper()
		if got := process.Liveness(o, self); got != want {
			t.Errorf("%s: liveness = %d, want %d", name, got, want)
		}
	}
	check("this process", self, deployer.Alive)
	check("a running process", child, deployer.Alive)
	check("another node", with(func(o *deployer.Owner) { o.Node = "there" }), deployer.Unknown)
	check("nothing known", deployer.Owner{Node: "here"}, deployer.Unknown)
	check("before the last boot", with(func(o *deployer.Owner) { o.Boot = strings.Repeat("0", 36) }), deployer.Dead)
	check("a pid that was used again", with(func(o *deployer.Owner) { o.Started-- }), deployer.Dead)
	check("a pid nobody has", with(func(o *deployer.Owner) { o.PID = 1 << 22 }), deployer.Dead)

	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return state(t, cmd.Process.Pid) == 'T' })
	check("a stopped process", child, deployer.Alive)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return state(t, cmd.Process.Pid) == 'Z' })
	check("a zombie", child, deployer.Dead)
	_ = cmd.Wait()
	check("a reaped process", child, deployer.Dead)
}

func TestSweepEndsExactlyWhatCarriesTheMarker(t *testing.T) {
	t.Parallel()
	marker := "17-sweep" + strconv.Itoa(os.Getpid())
	mine := startAll(t, "tree 2", marker, 3)
	other := start(t, "silent", marker+"er")
	ended, err := process.Sweep(t.Context(), marker, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if ended != 3 {
		t.Errorf("ended %d, want 3", ended)
	}
	_ = mine.Wait()
	noSurvivor(t, marker)
	if got := alive(t, marker+"er"); len(got) != 1 {
		t.Errorf("a marker that only begins the same: %v alive, want %d", got, other.Process.Pid)
	}
	if _, err := process.Sweep(t.Context(), "", 0); err == nil {
		t.Error("an empty marker was swept")
	}
	if ended, err := process.Sweep(t.Context(), "nobody", 0); ended != 0 || err != nil {
		t.Errorf("nobody: %d, %v", ended, err)
	}
}

func stat(t *testing.T, pid int) []string {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

func state(t *testing.T, pid int) byte { return stat(t, pid)[0][0] }

func await(t *testing.T, done func() bool) {
	t.Helper()
	over := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatal("waited for 10 s in vain")
		}
	}
}

func started(t *testing.T, pid int) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(stat(t, pid)[19], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
