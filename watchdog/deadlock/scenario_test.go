package deadlock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// scenarioVariable makes the test binary a worker in which something is wrong.
// Who is deadlocked stays so, so it needs a process of its own.
const scenarioVariable = "DEADLOCK_SCENARIO"

func TestMain(m *testing.M) {
	if name := os.Getenv(scenarioVariable); name != "" {
		play(scenarios[name])
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// outcome is what a scenario prints.
type outcome struct {
	Reports  []report
	Deadlock bool // was reported to the master
	Dumping  int64
	Waiting  []uint64 // of the first two slots
	Counted  map[string]uint64
	Stalls   uint64
}

func play(broken func(w *worker)) {
	w, _, err := newWorker(nil)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- w.d.Run(ctx) }()
	var o outcome
	go broken(w)
	o.Reports = append(o.Reports, <-w.reports)
	cancel()
	if err := <-ran; err != nil {
		panic(err)
	}
	close(w.reports)
	for r := range w.reports {
		o.Reports = append(o.Reports, r)
	}
	state := w.region.Worker()
	o.Deadlock, o.Dumping = state.Deadlock, state.Dumping
	o.Counted, o.Stalls = map[string]uint64{}, w.region.Counted(scoreboard.LockStalls)
	for reason := range watchdog.Reasons {
		if n := w.region.Incidents(reason); n > 0 {
			o.Counted[reason.String()] = n
		}
	}
	for i := range 2 {
		o.Waiting = append(o.Waiting, w.region.Slots()[i].View(i).Waiting)
	}
	if err := json.NewEncoder(os.Stdout).Encode(o); err != nil {
		panic(err)
	}
}

// outcomeOf plays a scenario in a process of its own.
func outcomeOf(t *testing.T, name string, env ...string) outcome {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(append(os.Environ(), scenarioVariable+"="+name, "GODEBUG=tracebacklabels=1"), env...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%.4000s", err, problems.String())
	}
	var o outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		t.Fatalf("%v\n%.1000s", err, out.String())
	}
	for _, r := range o.Reports {
		t.Logf("%s after %s: %s", r.Incident.Reason, r.After, r.Incident.Verdict)
		for _, m := range r.Incident.Timeline {
			t.Logf("%5d ms %s", m.AfterMS, m.What)
		}
	}
	if o.Dumping != 0 {
		t.Error("it says that it still dumps")
	}
	return o
}

func TestADeadlockOfPlainLocks(t *testing.T) {
	o := outcomeOf(t, "plain")
	r := o.Reports[0]
	i := r.Incident
	for _, want := range []string{"looks like a deadlock", "request r1 (POST /a)", "request r2 (POST /b)", "mutex 0x", "moveTo"} {
		if !strings.Contains(i.Verdict, want) {
			t.Errorf("the verdict lacks %q", want)
		}
	}
	if o.Stalls != 1 || len(o.Counted) != 1 || o.Counted["stalled"] != 1 {
		t.Errorf("counted: %v, %d stalls", o.Counted, o.Stalls)
	}
	if r.After > time.Second {
		t.Errorf("reported %s after the first request was given up", r.After)
	}
	if i.ID != "i1" || i.Reason != "stalled" || i.Pool != "http" || i.Index != 3 || i.Incarnation != 7 || i.PID != 4711 {
		t.Errorf("incident: %+v", i)
	}
	if len(i.Stuck) != 2 || i.Stuck[0].Request != "r1" || i.Stuck[0].Outcome != "504 from the worker" || i.Stuck[1].AgeMS != 30000 {
		t.Errorf("stuck: %+v", i.Stuck)
	}
	if l := i.Evidence.Locks; len(l) != 2 || l[0].Name == l[1].Name || len(l[0].Waiters) != 1 || !strings.HasPrefix(l[0].Holder, "perhaps request r") || l[0].Proven {
		t.Errorf("locks: %+v", l)
	}
	var requests []string
	for _, s := range i.Evidence.Stacks {
		requests = append(requests, s.Request+" "+s.Route)
		if s.State != "sync.Mutex.Lock" || !slices.ContainsFunc(s.Frames, func(f string) bool { return strings.Contains(f, "(*account).moveTo (sick_test.go:") }) {
			t.Errorf("stack: %+v", s)
		}
	}
	slices.Sort(requests)
	if fmt.Sprint(requests) != "[r1 POST /a r2 POST /b]" {
		t.Errorf("stacks of %v", requests)
	}
	if len(i.Evidence.Threads) == 0 || i.Evidence.Process.RSSBytes == 0 || i.Evidence.Process.Goroutines == 0 {
		t.Errorf("evidence: %+v", i.Evidence)
	}
	if o.Deadlock {
		t.Error("a guess was reported as proof")
	}
	dump, err := stackdump.Parse(strings.NewReader(r.Dump), 0)
	if err != nil || len(dump.Problems) > 0 || waiting(dump) != 2 || len(stackdump.Locks(dump)) != 2 {
		t.Errorf("the dump: %v, %+v", err, dump.Problems)
	}
	for _, g := range dump.Goroutines {
		for key, value := range g.Labels {
			if key != "slot" {
				t.Errorf("label %s=%s was kept", key, value)
			}
		}
	}
	if strings.Contains(r.Dump, "s3cret") || !strings.Contains(r.Dump, "# slot 1: request r1 (POST /a)\n") {
		t.Errorf("the dump:\n%.2000s", r.Dump)
	}
}

func TestADeadlockInABusyWorker(t *testing.T) {
	o := outcomeOf(t, "busy")
	if v := o.Reports[0].Incident.Verdict; !strings.Contains(v, "looks like a deadlock: request r") {
		t.Error("it was not found")
	}
}

func TestADeadlockWithoutLabels(t *testing.T) {
	o := outcomeOf(t, "unlabelled")
	if v := o.Reports[0].Incident.Verdict; !strings.Contains(v, "looks like a deadlock: goroutine ") {
		t.Error("it was not found")
	}
}

func TestAHotLockIsNotCalledStalled(t *testing.T) {
	o := outcomeOf(t, "hot")
	r := o.Reports[0]
	if r.Incident.Reason != "harakiri" || len(r.Incident.Evidence.Locks) != 0 {
		t.Errorf("locks: %+v", r.Incident.Evidence.Locks)
	}
	if r.Dump == "" {
		t.Error("no stacks were taken, although the world can be stopped")
	}
}

func TestADeadlockOfTrackedLocks(t *testing.T) {
	t.Run("is proven, and over when one of it was given up", func(t *testing.T) {
		o := outcomeOf(t, "tracked")
		i := o.Reports[0].Incident
		for _, want := range []string{
			"Deadlock, until request r1 was given up: ",
			`request r1 (POST /a) held lock "queue" and waited for "state"`, `request r2 (POST /b) held lock "state" and waited for "queue"`,
		} {
			if !strings.Contains(i.Verdict, want) {
				t.Errorf("the verdict lacks %q", want)
			}
		}
		if i.Reason != "deadlock" || o.Deadlock {
			t.Errorf("reason %s, reported: %t", i.Reason, o.Deadlock)
		}
	})
	t.Run("is found before anybody was given up, and reported to the master", func(t *testing.T) {
		o := outcomeOf(t, "tracked alone")
		r := o.Reports[0]
		for _, want := range []string{"Deadlock: ", `request r1 (POST /a) holds lock "queue" and waits for "state"`, `request r2 (POST /b) holds lock "state" and waits for "queue"`} {
			if !strings.Contains(r.Incident.Verdict, want) {
				t.Errorf("the verdict lacks %q", want)
			}
		}
		if !o.Deadlock || r.Incident.Reason != "deadlock" || len(r.Incident.Stuck) != 2 || len(r.Incident.Evidence.Stacks) < 2 {
			t.Errorf("reported: %t, %+v", o.Deadlock, r.Incident)
		}
		if l := r.Incident.Evidence.Locks; len(l) != 2 || !l[0].Proven || l[0].Holder != "request r1 (POST /a)" {
			t.Errorf("locks: %+v", l)
		}
		if len(o.Reports) != 1 || o.Counted["deadlock"] != 1 {
			t.Errorf("%d reports, counted: %v", len(o.Reports), o.Counted)
		}
	})
}

func TestNoStacksWhileALoopCannotBeInterrupted(t *testing.T) {
	// A process that stopped its world now would never come back.
	o := outcomeOf(t, "loop", "GODEBUG=tracebacklabels=1,asyncpreemptoff=1", "GOMAXPROCS=4")
	i := o.Reports[0].Incident
	if !strings.Contains(i.Verdict, "A thread computes: stacks were not taken") || o.Reports[0].Dump != "" || len(i.Evidence.Stacks) != 0 {
		t.Errorf("dump of %d bytes", len(o.Reports[0].Dump))
	}
	if !slices.ContainsFunc(i.Evidence.Threads, func(t watchdog.Thread) bool { return t.State == "R" && t.CPUMS > 20 }) {
		t.Errorf("threads: %+v", i.Evidence.Threads)
	}
}

func TestACrowdIsLookedAtOnce(t *testing.T) {
	o := outcomeOf(t, "crowd")
	r := o.Reports[0]
	if !strings.Contains(r.Incident.Verdict, "Request r1 (POST /a) is in time.Sleep, called from deadlock_test.sleepLong") {
		t.Error("the verdict is another")
	}
	dump, err := stackdump.Parse(strings.NewReader(r.Dump), 0)
	if err != nil || dump.Total() < 5000 || len(dump.Goroutines) > 100 {
		t.Errorf("dump of %d goroutines in %d entries: %v", dump.Total(), len(dump.Goroutines), err)
	}
}

func TestAWaitForTheNetwork(t *testing.T) {
	o := outcomeOf(t, "network")
	if len(o.Reports) != 2 {
		t.Fatalf("%d reports", len(o.Reports))
	}
	if v := o.Reports[0].Incident.Verdict; !strings.Contains(v, "Request r0 (POST /a) waits in net.(*conn).Read, called from deadlock_test.query") {
		t.Error("the first verdict is another")
	}
	if o.Waiting[0] == 0 || o.Waiting[0] != o.Waiting[1] {
		t.Errorf("the master is told that they wait at %x", o.Waiting)
	}
	if r := o.Reports[1]; !strings.Contains(r.Incident.Verdict, "Stacks were taken shortly before, for incident i1") || r.Dump != "" || len(r.Incident.Evidence.Threads) == 0 {
		t.Error("the second verdict is another")
	}
}

func TestARequestThatEnds(t *testing.T) {
	o := outcomeOf(t, "ended")
	if r := o.Reports[0]; r.Incident.Verdict != "Request r1 (POST /a) was given up after 30 s and ended then." || r.Dump != "" {
		t.Error("the verdict is another")
	}
}
