package master_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/master"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestWedgedWorkerIsReplacedDrainedDumpedAndKilled(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, nil)}, func(c *master.Config) { c.Routes = []string{"GET /any"} }).ready()
	board := s.look()
	spareReady(t, board)
	stuck, innocent, idle := dial(t, s.url), dial(t, s.url), dial(t, s.url)
	victim := stuck.pid()
	idle.pid()
	mark := filepath.Join(t.TempDir(), "begun")
	innocent.send("/slow?for=1500ms&soft=1m&mark=" + mark)
	eventually(t, "the innocent request runs", func() bool { return exists(mark) })
	stuck.send("/wedge")
	if status, body := stuck.answer(); status != http.StatusGatewayTimeout || body != "worker" {
		t.Errorf("the stuck request got %d %q", status, body)
	}
	eventually(t, "somebody else accepts", func() bool { return s.pid() != victim })
	if status, body := innocent.answer(); status != http.StatusOK || body != strconv.Itoa(victim) {
		t.Errorf("the innocent request got %d %q", status, body)
	}
	i := s.theIncident()
	if now := idle.pid(); now == victim {
		t.Error("the idle connection is still served by the victim")
	}
	if i.Reason != "wedged" || i.PID != victim || i.Severity != watchdog.Killing {
		t.Errorf("incident: %+v", i)
	}
	if len(i.Evidence.Stacks) == 0 || !strings.Contains(strings.Join(i.Evidence.Stacks[0].Frames, "\n"), "(*guarded).wedge") {
		t.Errorf("stacks: %+v", i.Evidence.Stacks)
	}
	if len(i.Evidence.Threads) == 0 || i.Evidence.Process.RSSBytes == 0 || len(i.Evidence.Locks) == 0 {
		t.Errorf("evidence: %+v", i.Evidence)
	}
	if len(i.Stuck) != 1 || len(i.Lost) != 0 || i.Stuck[0].Request != "id-of-wedge" || i.Stuck[0].Route != "GET /any" || i.Stuck[0].Outcome != "504 from the worker" {
		t.Errorf("stuck: %+v", i.Stuck)
	}
	if len(s.dumps[i.ID]) == 0 {
		t.Error("no dump")
	}
	t.Log(i.Verdict, i.Timeline)
	for _, d := range s.dead() {
		if d.PID == victim && (d.Expected || d.State != "dumping") {
			t.Errorf("death: %+v", d)
		}
	}
	after := spareReady(t, board)
	if after.Kills[watchdog.Wedged] != 1 || after.Incidents[watchdog.Wedged] != 1 || after.LastDumps.Count() != 1 || after.CPU[0] == 0 {
		t.Errorf("kills %v, incidents %v, dumps %+v, CPU %v", after.Kills, after.Incidents, after.LastDumps, after.CPU)
	}
	if m := board.Snapshot().Master; m.Begun.IsZero() || m.Passes == 0 || m.Pass == 0 {
		t.Errorf("master: %+v", m)
	}
	if after.Ends[watchdog.Wedged] != 1 || after.Lost != 0 || after.Moved == 0 || after.Limit == 0 {
		t.Errorf("pool: %+v", after)
	}
	if left := matches(t, s.stderr+"/*"); left != 2 {
		t.Errorf("%d files of stderr are left, want those of two workers that live", left)
	}
}

func TestStoppedWorkerIsReplacedAtOnceAndItsClientsAreServed(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) { p.Policy.Harakiri = time.Minute })
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	before := spareReady(t, board)
	idle, running, half := dial(t, s.url), dial(t, s.url), dial(t, s.url)
	victim := idle.pid()
	running.pid()
	half.pid()
	mark := filepath.Join(t.TempDir(), "begun")
	running.send("/slow?for=10s&mark=" + mark)
	eventually(t, "the request runs", func() bool { return exists(mark) })
	_, _ = half.conn.Write([]byte("GET /pid HT"))
	eventually(t, "a request arrives", func() bool { return phases(board, victim)[scoreboard.Reading] == 1 })
	stopped := time.Now()
	stop(t, victim)
	next := s.pid()
	took := time.Since(stopped)
	t.Logf("a new connection was served %s after the stop", took)
	if took > 250*time.Millisecond+time.Second {
		t.Errorf("the spare was promoted after %s", took)
	}
	if w, ok := workerOf(board, next); !ok || w.ID.Index != 0 || w.Incarnation == before.Workers[0].Incarnation {
		t.Errorf("the promoted one: %+v", w)
	}
	if got := idle.pid(); got == victim || !alive(got) {
		t.Errorf("the idle connection is served by %d", got)
	}
	took = time.Since(stopped)
	t.Logf("an idle connection was served %s after the stop", took)
	if took > pool.Policy.Frozen-500*time.Millisecond {
		t.Errorf("an idle connection was served after %s: it waited for the kill", took)
	}
	if status, body := running.answer(); status != http.StatusGatewayTimeout || !strings.Contains(body, s.theIncident().ID) {
		t.Errorf("the running request got %d %q", status, body)
	}
	if status, _ := half.answer(); status != http.StatusGatewayTimeout {
		t.Errorf("the half request got %d", status)
	}
	t.Logf("its clients had 504 %s after the stop", time.Since(stopped))
	i := s.theIncident()
	if i.Reason != "stopped" || len(i.Stuck) != 2 || len(i.Lost) != 0 {
		t.Errorf("incident: %+v", i)
	}
	t.Log(i.Verdict, i.Timeline)
	after := spareReady(t, board)
	if after.Answered != 2 || after.Moved == 0 || after.Lost != 0 || after.Ends[watchdog.Stopped] != 1 {
		t.Errorf("pool: answered %d, moved %d, lost %d, ends %v", after.Answered, after.Moved, after.Lost, after.Ends)
	}
}

// stop stops a process by a signal and returns when all its threads stand still.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has stopped", func() bool {
		threads, err := process.Threads(pid)
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(threads, func(x watchdog.Thread) bool { return x.State != "T" })
	})
}

// phases counts the slots of a worker by their phase.
func phases(b *scoreboard.Board, pid int) map[scoreboard.Phase]int {
	found := map[scoreboard.Phase]int{}
	for _, r := range b.Pools()[0].Regions() {
		if r.Worker().PID == pid {
			used := r.Used()
			for i := range used {
				found[used[i].Token().Phase()]++
			}
		}
	}
	return found
}

// idleIn reports whether a worker has connections, and nothing under way on them.
func idleIn(board *scoreboard.Board, pid int) bool {
	for _, w := range board.Snapshot().Pools[0].Workers {
		if w.PID == pid {
			return w.Connections > 0 && len(w.Busy) == 0
		}
	}
	return false
}

func TestWorkerThatGoesOnInTimeDrains(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, nil)}, nil).ready()
	board := s.look()
	spareReady(t, board)
	victim := s.pid()
	idle := dial(t, s.url)
	idle.pid()
	eventually(t, "its connection is idle", func() bool { return idleIn(board, victim) })
	stop(t, victim)
	if s.pid() == victim || idle.pid() == victim {
		t.Error("the stopped one answers")
	}
	if err := syscall.Kill(victim, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stopped one is gone", func() bool { return len(s.dead()) == 1 })
	if d := s.dead()[0]; d.PID != victim || !d.Expected || d.ExitCode != 0 {
		t.Errorf("death: %+v", d)
	}
	if len(s.incidents()) != 0 {
		t.Errorf("incidents: %+v", s.incidents())
	}
	eventually(t, "its end is counted, and no kill", func() bool {
		p := board.Snapshot().Pools[0]
		return p.Ends[watchdog.Stopped] == 1 && p.Kills[watchdog.Stopped] == 0
	})
}

func TestSpareIsPromotedWhenNobodyBeats(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) { p.Policy.Fresh, p.Policy.Frozen = 300*time.Millisecond, patience })
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	spareReady(t, board)
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/hush")
	c.answer()
	eventually(t, "somebody else answers", func() bool { return s.pid() != victim })
	if c.pid() == victim {
		t.Error("the idle connection is served by the silent one")
	}
	eventually(t, "the silent one has drained", func() bool { return len(s.dead()) == 1 })
	if d := s.dead()[0]; d.PID != victim || !d.Expected || d.ExitCode != 0 || !strings.Contains(d.Verdict, "did not beat") {
		t.Errorf("death: %+v", d)
	}
}

func TestIdleConnectionsLeaveAWorkerThatDoesNotBeat(t *testing.T) {
	t.Parallel()
	pool := watched(2, func(p *watchdog.Pool) {
		p.Spare, p.Policy.Fresh, p.Policy.Frozen = false, 300*time.Millisecond, patience
	})
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/hush")
	c.answer()
	eventually(t, "the connection is moved", func() bool { return board.Snapshot().Pools[0].Moved > 0 })
	if now := c.pid(); now == victim || !alive(victim) {
		t.Errorf("the idle connection is served by %d, the silent one is %d", now, victim)
	}
}

func TestFrozenWorkerIsStoppedAnsweredForAndDumped(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) {
		p.Policy.Harakiri, p.Policy.Fresh, p.Policy.Frozen = time.Minute, 250*time.Millisecond, 500*time.Millisecond
	})
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	spareReady(t, board)
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/mute") // it works on, but does not beat
	if status, _ := c.answer(); status != http.StatusGatewayTimeout {
		t.Errorf("the request got %d", status)
	}
	i := s.theIncident()
	if i.Reason != "frozen" || i.PID != victim || len(s.dumps[i.ID]) == 0 || len(i.Evidence.Stacks) != 1 {
		t.Errorf("incident: %+v", i)
	}
	t.Log(i.Verdict, i.Timeline)
	if d := s.dead()[0]; d.State != "dumping" || d.Expected {
		t.Errorf("death: %+v", d)
	}
}

func TestCrashIsAnIncidentWithWhatWasLost(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, nil)}, nil).ready()
	board := s.look()
	spareReady(t, board)
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/crash")
	if status, _ := c.answer(); status != 0 {
		t.Errorf("the request got %d", status)
	}
	if now := s.pid(); now == victim {
		t.Error("the dead answers")
	}
	eventually(t, "the spare is promoted", func() bool { return s.logged("spare promoted") })
	i := s.theIncident()
	if i.Reason != "crash" || len(i.Lost) != 1 || i.Lost[0].Request != "id-of-crash" || !strings.Contains(i.Verdict, "panic: crashed on purpose") {
		t.Errorf("incident: %+v", i)
	}
	if d := s.dead()[0]; !strings.HasPrefix(d.Message, "panic: crashed on purpose") {
		t.Errorf("death: %+v", d)
	}
	if after := spareReady(t, board); after.Lost != 1 || after.Ends[watchdog.Crash] != 1 {
		t.Errorf("pool: lost %d, ends %v", after.Lost, after.Ends)
	}
}

func TestGroupsOfAKilledWorkerAreKilled(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, func(p *watchdog.Pool) { p.Spare = false })}, nil).ready()
	mark := filepath.Join(t.TempDir(), "group")
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/group?mark=" + mark)
	if status, _ := c.answer(); status != http.StatusGatewayTimeout {
		t.Errorf("the request got %d", status)
	}
	text, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if i := s.theIncident(); i.PID != victim {
		t.Errorf("incident: %+v", i)
	}
	eventually(t, "its child is gone", func() bool { return !alive(pid) })
	if now := s.pid(); now == victim {
		t.Error("the dead answers")
	}
}

func TestWorkerThatDoesNotEndInTimeIsDumpedAndKilled(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) {
		p.Spare, p.StopGrace, p.KillGrace = false, 100*time.Millisecond, 100*time.Millisecond
		p.Policy.Harakiri = time.Minute
	})
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	c := dial(t, s.url)
	victim := c.pid()
	c.send("/wedge")
	eventually(t, "the request runs", func() bool { return phases(s.look(), victim)[scoreboard.Running] == 1 })
	s.signal(syscall.SIGHUP)
	if status, _ := c.answer(); status != http.StatusGatewayTimeout {
		t.Errorf("the request got %d", status)
	}
	i := s.theIncident()
	if i.Reason != "silent" || i.PID != victim || !strings.Contains(i.Verdict, "did not end in time") || !strings.Contains(i.Verdict, "(*guarded).wedge") {
		t.Errorf("incident: %+v", i)
	}
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	if ends := s.look().Snapshot().Pools[0].Ends; ends[watchdog.Silent] != 1 || ends[watchdog.Reload] != 0 {
		t.Errorf("ends: %v", ends)
	}
}

func TestWhatAWorkerWroteLastIsItsMessage(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, func(p *watchdog.Pool) { p.Args[1] = "broken" })}, nil)
	if err := s.wait(); err == nil || !strings.Contains(err.Error(), "broken [1mon purpose") {
		t.Errorf("Run returned %v", err)
	}
	for _, d := range s.dead() {
		if !d.Expected && d.Message != "broken [1mon purpose" {
			t.Errorf("message: %q", d.Message)
		}
	}
	if left := matches(t, s.stderr+"/*"); left != 0 {
		t.Errorf("%d files of stderr are left", left)
	}
}
