package master_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/master"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// recycling counts the workers that are neither in their place nor on the
// bench, nor on their way there.
func recycling(p scoreboard.PoolState) int {
	n := 0
	for _, w := range p.Workers {
		if w.State > watchdog.Ready {
			n++
		}
	}
	return n
}

func TestRecyclesAreNeverTwoAtOnceAndLoseNothing(t *testing.T) {
	t.Parallel()
	for name, spare := range map[string]bool{"with a spare": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := watched(3, func(p *watchdog.Pool) {
				p.Spare = spare
				p.Policy.Recycle = watchdog.Recycle{Requests: 20, MinLifetime: time.Millisecond, Jitter: -1}
			})
			s := start(t, []watchdog.Pool{pool}, nil).ready()
			board := s.look()
			// Something that every worker has to finish first.
			var slow sync.WaitGroup
			defer slow.Wait()
			over := make(chan struct{})
			defer close(over)
			for range 6 {
				slow.Go(func() {
					for !closed(over) {
						_, _ = fetch(s.url + "/slow?for=200ms&soft=1m&mark=" + os.DevNull)
					}
				})
			}
			eventually(t, "every worker is recycled", func() bool {
				for range 10 {
					s.pid()
				}
				state := board.Snapshot().Pools[0]
				if n := recycling(state); n > 1 {
					t.Fatalf("%d workers are recycled at once: %+v", n, state.Workers)
				}
				return state.Ends[watchdog.Requests] >= 4
			})
			for _, d := range s.dead() {
				if !d.Expected || d.ExitCode != 0 || !strings.Contains(d.Verdict, "was recycled") {
					t.Errorf("death: %+v", d)
				}
			}
			if lost := board.Snapshot().Pools[0].Lost; lost != 0 {
				t.Errorf("%d requests were lost", lost)
			}
		})
	}
}

func TestWorkerThatEatsMemoryIsRecycled(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) {
		p.Policy.Recycle = watchdog.Recycle{Memory: 100 << 20, MinLifetime: time.Millisecond}
		p.Policy.Fresh, p.Policy.Frozen = patience/2, patience
		p.Env = []string{"GOMEMLIMIT=1GiB"}
	})
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	spareReady(t, board)
	victim := s.pid()
	s.get("/eat?mb=150&soft=1m")
	eventually(t, "it is recycled", func() bool { return board.Snapshot().Pools[0].Ends[watchdog.Memory] == 1 })
	if s.pid() == victim {
		t.Error("the eater answers")
	}
}

func TestRollReplacesTheSpareToo(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(2, nil)}, nil).ready()
	board := s.look()
	before := spareReady(t, board)
	s.signal(syscall.SIGHUP)
	eventually(t, rolled, func() bool { return s.logged(rolled) })
	after := spareReady(t, board)
	for _, w := range after.Workers {
		for _, old := range before.Workers {
			if w.PID == old.PID {
				t.Errorf("worker %s was not replaced", old.ID)
			}
		}
	}
	if after.Ends[watchdog.Reload] != 3 || len(s.incidents()) != 0 {
		t.Errorf("ends: %v, incidents: %+v", after.Ends, s.incidents())
	}
}

func TestRollAsksForTheProtocolFirst(t *testing.T) {
	t.Parallel()
	for want, protocol := range map[string]func() (int, error){
		"does not say which protocol it speaks": func() (int, error) { return 0, fmt.Errorf("exit status 3") },
		"speaks another protocol":               func() (int, error) { return 1, nil },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := start(t, []watchdog.Pool{watched(1, nil)}, func(c *master.Config) {
				c.Protocol = func(context.Context) (int, error) { return protocol() }
			}).ready()
			before := spareReady(t, s.look())
			s.signal(syscall.SIGHUP)
			eventually(t, want, func() bool { return s.logged(want) })
			if after := spareReady(t, s.look()); after.Workers[0].PID != before.Workers[0].PID || len(s.dead()) != 0 {
				t.Errorf("workers were replaced: %+v", after.Workers)
			}
		})
	}
}

func TestStuckSpareIsReplaced(t *testing.T) {
	t.Parallel()
	pool := watched(1, func(p *watchdog.Pool) {
		p.Policy.Fresh, p.Policy.Frozen = 250*time.Millisecond, 500*time.Millisecond
	})
	s := start(t, []watchdog.Pool{pool}, nil).ready()
	board := s.look()
	before := spareReady(t, board)
	for _, w := range before.Workers {
		if w.State == watchdog.Spare {
			if err := syscall.Kill(w.PID, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
	}
	if i := s.theIncident(); i.Index != -1 || i.Reason != "stopped" {
		t.Errorf("incident: %+v", i)
	}
	spareReady(t, board)
}

func TestDeathsInARowHoldTheSpareBackNotThePromotion(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(1, nil)}, nil).ready()
	board := s.look()
	for range 3 {
		spareReady(t, board)
		kill(t, s.pid())
	}
	s.pid()
	eventually(t, "a spare is held back", func() bool { return s.logged("worker restarts later") })
	spareReady(t, board)
}

func TestStepOfARunnerThatIsStuckIsEnded(t *testing.T) {
	t.Parallel()
	runner := child("runner", 1, "stuck-runner", filepath.Join(t.TempDir(), "group"))
	runner.Listeners, runner.Patient, runner.Slots = nil, true, 4
	runner.Policy = watchdog.Policy{Slack: 500 * time.Millisecond, Mercy: 500 * time.Millisecond}
	s := start(t, []watchdog.Pool{runner}, nil).ready()
	s.look()
	i := s.theIncident()
	if i.Reason != "overdue" || len(i.Stuck) != 1 || i.Stuck[0].Request != "deployment-1" {
		t.Errorf("incident: %+v", i)
	}
	text, err := os.ReadFile(runner.Args[2])
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its step is gone", func() bool { return !alive(pid) })
	if d := s.dead()[0]; d.Expected {
		t.Errorf("death: %+v", d)
	}
}

func TestProcessWithoutRoomIsStartedLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.Patient, runner.Listeners = true, nil
	s := start(t, []watchdog.Pool{runner}, nil).ready()
	board := s.look()
	for n := 1; n <= runner.Regions(); n++ {
		// The present one takes work that does not end, and is replaced.
		s.bell.Ring()
		eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == n })
		s.signal(syscall.SIGHUP)
		if n < runner.Regions() {
			eventually(t, "the next is ready", func() bool { return ready(board) == n+1 })
		}
	}
	eventually(t, "a start is put off", func() bool { return s.logged("worker is started later") })
	touch(t, dir+"/finish")
	eventually(t, "the last is started after all", func() bool { return s.logged(fmt.Sprintf("incarnation=%d duration", runner.Regions()+1)) })
}

func TestPlaceOfAFrozenWorkerWaitsForRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner := child("runner", 1, "runner", dir)
	runner.Patient, runner.Listeners, runner.Slots = true, nil, 1
	runner.Policy = watchdog.Policy{Fresh: time.Second, Frozen: 1500 * time.Millisecond}
	s := start(t, []watchdog.Pool{runner}, nil).ready()
	board := s.look()
	for n := 1; n < runner.Regions(); n++ {
		s.bell.Ring()
		eventually(t, "the runner works", func() bool { return matches(t, dir+"/took.*") == n })
		s.signal(syscall.SIGHUP)
		eventually(t, "the next is ready", func() bool { return ready(board) == n+1 })
	}
	for _, w := range board.Snapshot().Pools[0].Workers {
		if w.State == watchdog.Ready {
			stop(t, w.PID)
		}
	}
	eventually(t, "a start is put off", func() bool { return s.logged("worker is started later") })
	eventually(t, "it is started after all", func() bool { return s.logged(fmt.Sprintf("incarnation=%d duration", runner.Regions()+1)) })
}

// ready is the incarnation that is ready, 0 if it is not one alone.
func ready(b *scoreboard.Board) int {
	found := 0
	for _, w := range b.Snapshot().Pools[0].Workers {
		if w.State == watchdog.Ready && found != 0 {
			return 0
		}
		if w.State == watchdog.Ready {
			found = int(w.Incarnation)
		}
	}
	return found
}

func TestMasterThatWasStoppedKillsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := startOutside(t, setup{
		Pools: []watchdog.Pool{watched(2, nil)}, Address: freeAddress(t),
		Place: filepath.Join(dir, "place"), Incidents: filepath.Join(dir, "incidents"),
	})
	o.answers(t, 2)
	board := lookAt(t, filepath.Join(dir, "place"))
	before := spareReady(t, board)
	// A request that ends while nobody watches, long after it should have.
	c := dial(t, o.url)
	c.pid()
	mark := filepath.Join(dir, "begun")
	c.send("/slow?for=3s&mark=" + mark)
	eventually(t, "the request runs", func() bool { return exists(mark) })
	o.stop(t)
	<-time.After(2500 * time.Millisecond)
	o.goOn(t)
	c.answer()
	eventually(t, "the master looks again", func() bool { return strings.Contains(o.log(t), "nobody watched for a while") })
	eventually(t, "the late one has ended", func() bool { return busy(board) == 0 })
	after := spareReady(t, board)
	for i := range after.Workers {
		if after.Workers[i].PID != before.Workers[i].PID {
			t.Errorf("worker %s was replaced: %s", before.Workers[i].ID, o.log(t))
		}
	}
	if n := matches(t, filepath.Join(dir, "incidents", "*.json")); n != 0 {
		t.Errorf("%d incidents", n)
	}
}

func TestMachineThatSleptKillsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := watched(2, func(p *watchdog.Pool) { p.Policy.Fresh, p.Policy.Frozen = 900*time.Millisecond, time.Second })
	o := startOutside(t, setup{
		Pools: []watchdog.Pool{pool}, Address: freeAddress(t),
		Place: filepath.Join(dir, "place"), Incidents: filepath.Join(dir, "incidents"),
	})
	o.answers(t, 2)
	board := lookAt(t, filepath.Join(dir, "place"))
	workers := spareReady(t, board).Workers
	o.stop(t)
	for _, w := range workers {
		stop(t, w.PID)
	}
	<-time.After(2500 * time.Millisecond)
	o.goOn(t) // a moment before its workers do
	eventually(t, "the master looks again", func() bool { return strings.Contains(o.log(t), "nobody watched for a while") })
	<-time.After(300 * time.Millisecond)
	for _, w := range workers {
		if err := syscall.Kill(w.PID, syscall.SIGCONT); err != nil {
			t.Errorf("worker %s: %v", w.ID, err)
		}
	}
	spareReady(t, board)
	if text := o.log(t); strings.Contains(text, "condemned") {
		t.Error(text)
	}
}

// busy counts requests.
func busy(b *scoreboard.Board) int {
	n := 0
	for _, w := range b.Snapshot().Pools[0].Workers {
		n += len(w.Busy)
	}
	return n
}

func TestGuardedWorkersDoNotOutliveTheirMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := startOutside(t, setup{Pools: []watchdog.Pool{watched(2, nil)}, Address: freeAddress(t), Place: filepath.Join(dir, "place")})
	o.answers(t, 2)
	pool := spareReady(t, lookAt(t, filepath.Join(dir, "place")))
	killed := time.Now()
	if err := o.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = o.wait()
	eventually(t, "the workers are gone", func() bool {
		for _, w := range pool.Workers {
			if alive(w.PID) {
				return false
			}
		}
		return true
	})
	if took := time.Since(killed); took > 1500*time.Millisecond {
		t.Errorf("workers were gone after %s", took)
	}
}

func TestWorkersThatWaitForTheSameDependencyAreNotKilledInARow(t *testing.T) {
	t.Parallel()
	s := start(t, []watchdog.Pool{watched(2, nil)}, nil).ready()
	board := s.look()
	complete := spareReady(t, board)
	var clients []*client
	for busy := map[int]bool{}; len(busy) < 2; {
		c := dial(t, s.url)
		pid := c.pid()
		if !busy[pid] {
			busy[pid] = true
			clients = append(clients, c)
			c.send("/dependency")
		}
	}
	for _, c := range clients {
		if status, _ := c.answer(); status != http.StatusGatewayTimeout {
			t.Errorf("got %d", status)
		}
	}
	eventually(t, "the dependency is blamed", func() bool { return s.logged("a dependency is down") })
	if after := spareReady(t, board); after.Workers[0].PID != complete.Workers[0].PID || len(s.incidents()) != 0 {
		t.Errorf("incidents: %+v", s.incidents())
	}
}
