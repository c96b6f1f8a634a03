package guard

import (
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/sched"
)

// cpu simulates requests that share processors: cost is what each needs.
type cpu struct {
	cores, cost float64 // seconds
	work        []float64
	ended       int // in time
	late        int // given up, half done
	age         []float64
}

// step lets so many requests begin, and time pass.
func (c *cpu) step(begin int, dt, deadline float64) (done int) {
	for range begin {
		c.work, c.age = append(c.work, c.cost), append(c.age, 0)
	}
	share := min(1, c.cores/float64(max(1, len(c.work)))) * dt
	var work, age []float64
	for i := range c.work {
		left, old := c.work[i]-share, c.age[i]+dt
		switch {
		case left <= 0:
			c.ended++
			done++
		case old > deadline:
			c.late++
			done++
		default:
			work, age = append(work, left), append(age, old)
		}
	}
	c.work, c.age = work, age
	return done
}

// load is what the scheduler would say of it.
func (c *cpu) load(procs int) sched.Load {
	waiting := max(0, len(c.work)-procs)
	return sched.Load{Runnable: waiting, Procs: procs, Latency: time.Duration(float64(waiting) * 10e-3 / c.cores * float64(time.Second))}
}

// run offers so many requests per second for 20 s, and returns what was done of
// what can be done in the last ten.
func run(t *testing.T, bound bool, offered float64) (goodput float64, most int) {
	t.Helper()
	const dt, procs = 0.05, 4
	c := &cpu{cores: 1, cost: 0.02}
	var a admission
	admit, ended, due := unbounded, 0, 0.0
	for i := range 400 {
		if i == 200 {
			c.ended, c.late = 0, 0
		}
		refused := 0
		due += offered * dt
		begin := int(due)
		due -= float64(begin)
		if bound && begin > admit {
			refused = begin - admit
			begin = admit
		}
		ended = c.step(begin, dt, 1)
		most = max(most, len(c.work))
		admit = a.look(c.load(procs), len(c.work), ended, refused)
	}
	return float64(c.ended) / 10 / (c.cores / c.cost), most
}

func TestWithBoundsAnOverloadedProcessDoesWhatItCan(t *testing.T) {
	t.Parallel()
	for _, times := range []float64{1.2, 2, 3, 10} {
		with, _ := run(t, true, times*50)
		if with < 0.85 {
			t.Errorf("at %.1f times the load %.0f %% is done", times, with*100)
		}
	}
	if without, _ := run(t, false, 150); without > 0.5 {
		t.Errorf("without bounds %.0f %% is done at three times the load: this proves nothing", without*100)
	}
}

func TestWithoutOverloadNothingIsBounded(t *testing.T) {
	t.Parallel()
	var a admission
	for range 100 { // a thousand requests wait, none of them for a processor
		if n := a.look(sched.Load{Runnable: 2, Procs: 4, Latency: time.Millisecond}, 1000, 3, 0); n != unbounded {
			t.Fatalf("%d may begin", n)
		}
	}
	crowd := sched.Load{Runnable: 100, Procs: 4, Latency: 200 * time.Millisecond}
	for range crowdedFor - 1 { // a burst
		if n := a.look(crowd, 100, 10, 0); n != unbounded {
			t.Fatalf("in a burst %d may begin", n)
		}
	}
	if n := a.look(sched.Load{Procs: 4}, 5, 95, 0); n != unbounded {
		t.Errorf("after a burst %d may begin", n)
	}
}

func TestBoundsGoWhenNobodyIsRefusedAnyMore(t *testing.T) {
	t.Parallel()
	var a admission
	crowd := sched.Load{Runnable: 100, Procs: 4, Latency: 200 * time.Millisecond}
	for range crowdedFor {
		a.look(crowd, 100, 10, 0)
	}
	if a.ceiling == 0 {
		t.Fatal("not bounded")
	}
	for i := range 10 * calmFor {
		refused := 0
		if i < calmFor {
			refused = 1
		}
		if n := a.look(sched.Load{Procs: 4}, 2, 2, refused); n == unbounded {
			if i < calmFor {
				t.Errorf("unbounded after %d looks, with refusals", i)
			}
			return
		}
	}
	t.Error("still bounded")
}

func TestAtLeastOneRequestForEachProcessorMayBegin(t *testing.T) {
	t.Parallel()
	var a admission
	crowd := sched.Load{Runnable: 100, Procs: 4, Latency: time.Second}
	for range 100 {
		a.look(crowd, 0, 0, 50)
	}
	if n := a.look(crowd, 0, 0, 50); n != 4 {
		t.Errorf("%d may begin", n)
	}
}
