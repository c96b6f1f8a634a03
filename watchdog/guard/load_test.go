package guard_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// burn keeps n goroutines busy until its result is called.
func burn(n int) (stop func()) {
	var end atomic.Bool
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for !end.Load() {
			}
		})
	}
	return func() { end.Store(true); wg.Wait() }
}

//nolint:paralleltest // it overloads the process
func TestAnOverloadedProcessRefusesWhatIsNotEssential(t *testing.T) {
	g := single(t, watchdog.Policy{Harakiri: time.Minute})
	s := newStuck()
	defer s.free()
	mux := http.NewServeMux()
	mux.Handle("/hang", s)
	mux.Handle("/a", g.Route("/a", guard.Limits{})(named("a")))
	mux.Handle("/b", g.Route("/b", guard.Limits{Essential: true})(named("b")))
	addr := g.serve(t, mux)
	for range 2 * runtime.GOMAXPROCS(0) { // more than are let in when processors are short
		dial(t, addr).get("/hang")
		<-s.entered
	}
	c := dial(t, addr)
	c.get("/a")
	c.want(http.StatusOK, "a")
	stop := burn(16 * runtime.GOMAXPROCS(0))
	defer stop()
	var refused *answer
	eventually(t, "a request is refused", func() bool {
		c.get("/a")
		refused = c.answer()
		return refused != nil && refused.StatusCode == http.StatusServiceUnavailable
	})
	if refused.Header.Get("Retry-After") != "1" || !strings.Contains(refused.text, `"overloaded"`) {
		t.Errorf("answer: %v %s", refused.Header, refused.text)
	}
	c.get("/b")
	c.want(http.StatusOK, "b")
	if n := g.region.Counted(scoreboard.Shed); n == 0 {
		t.Error("not counted")
	}
	stop()
	eventually(t, "it recovers", func() bool {
		c.get("/a")
		a := c.answer()
		return a != nil && a.StatusCode == http.StatusOK
	})
}

func gogc() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

//nolint:paralleltest // it changes the garbage collector
func TestNothingIsCollectedWhileAThreadSpinsUnderAnOldRequest(t *testing.T) {
	before := gogc()
	g := single(t, watchdog.Policy{Harakiri: time.Minute})
	s := newStuck()
	defer s.free()
	c := dial(t, g.serve(t, s))
	c.get("/")
	<-s.entered
	stop := burn(1)
	defer stop()
	eventually(t, "collection is suspended", func() bool { return gogc() == math.MaxUint64 })
	stop()
	s.free()
	c.want(http.StatusOK, "late")
	eventually(t, "collection goes on", func() bool { return gogc() == before })
}

// TestAProcessThatStoodStillBlamesNobody stops a whole process for longer than
// its requests may take.
func TestAProcessThatStoodStillBlamesNobody(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestHelperServes$", "-test.v")
	cmd.Env = append(os.Environ(), "GUARD_TEST_SERVES=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	next := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("the child ended without %q", prefix)
		return ""
	}
	addr := next("serves ")
	hanging, other := dial(t, addr), dial(t, addr)
	hanging.get("/hang")
	next("hangs")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(helperDeadline + 2*time.Second)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	other.get("/free")
	other.want(http.StatusOK, "free")
	hanging.want(http.StatusOK, "late")
	// It is judged as ever after that.
	other.get("/hang-again")
	other.want(http.StatusGatewayTimeout, "timeout")
	_ = in.Close()
}

const helperDeadline = 2 * time.Second

// TestHelperServes is the child of the test before.
func TestHelperServes(t *testing.T) {
	if os.Getenv("GUARD_TEST_SERVES") == "" {
		t.Skip("not a test of its own")
	}
	g := single(t, watchdog.Policy{Harakiri: helperDeadline})
	s, forever := newStuck(), newStuck()
	mux := http.NewServeMux()
	mux.Handle("/hang", s)
	mux.Handle("/hang-again", forever)
	mux.HandleFunc("/free", func(w http.ResponseWriter, _ *http.Request) { s.free(); fmt.Fprint(w, "free") })
	defer forever.free()
	defer s.free()
	fmt.Println("serves", g.serve(t, mux))
	<-s.entered
	fmt.Println("hangs")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent is done
}

func TestAGuardCanBeStartedAndEndedAtAnyTime(t *testing.T) {
	t.Parallel()
	all := regions(t, 1, 8)
	for range 200 {
		g, err := guard.New(config(all[0]))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := g.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		g.Wake()
		cancel()
		g.Drain()
		wg.Wait()
	}
}
