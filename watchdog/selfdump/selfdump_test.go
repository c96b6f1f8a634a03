package selfdump_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// indexAfter returns the index behind the first part in text; -1 if it is not there.
func indexAfter(text, part string) int {
	if i := strings.Index(text, part); i >= 0 {
		return i + len(part)
	}
	return -1
}

func mustAsk(t *testing.T, pid int) (*selfdump.Answer, *stackdump.Dump) {
	t.Helper()
	answer, err := selfdump.Ask(t.Context(), pid)
	if err != nil {
		t.Fatal(err)
	}
	d, err := stackdump.Parse(bytes.NewReader(answer.Dump), 0)
	if err != nil || len(d.Problems) > 0 {
		t.Fatalf("%v, %v in\n%s", err, d.Problems, answer.Dump)
	}
	return answer, d
}

func TestAProcessTellsWhoWaitsAndLivesOn(t *testing.T) {
	t.Parallel()
	pid := start(t, "deadlocked")
	for range 3 {
		answer, d := mustAsk(t, pid)
		if answer.Name != "http/0" || answer.Took <= 0 {
			t.Errorf("%q stood still for %s", answer.Name, answer.Took)
		}
		locks := stackdump.Locks(d)
		if len(locks) != 2 || locks[0].Addr == 0 || len(locks[0].Holders) == 0 {
			t.Fatalf("locks %+v in\n%s", locks, answer.Dump)
		}
		for _, l := range locks {
			labels := l.Waiters[0].Labels
			if slot := labels["slot"]; labels["request"] != "r"+slot || labels["route"] != "POST /pay" {
				t.Errorf("labels %v", labels)
			}
		}
	}
}

func TestNoSecretLeavesAProcess(t *testing.T) {
	t.Parallel()
	answer, _ := mustAsk(t, start(t, "deadlocked"))
	for _, secret := range []string{"s3cret", "token", fmt.Sprintf("%#x", secretPIN)} {
		if bytes.Contains(answer.Dump, []byte(secret)) {
			t.Errorf("%q is in\n%s", secret, answer.Dump)
		}
	}
}

func TestManyGoroutinesBecomeAProfile(t *testing.T) {
	t.Parallel()
	answer, d := mustAsk(t, start(t, "crowded"))
	if d.Total() < crowdSize || len(answer.Dump) > 1<<20 {
		t.Errorf("%d goroutines in %d bytes", d.Total(), len(answer.Dump))
	}
}

func TestAThreadThatComputesIsNamed(t *testing.T) {
	t.Parallel()
	pid := start(t, "computing")
	_, err := selfdump.Ask(t.Context(), pid)
	var computes *selfdump.ComputesError
	if !errors.As(err, &computes) {
		t.Fatalf("got %v", err)
	}
	if computes.Name != "http/0" || len(computes.Threads) == 0 {
		t.Errorf("%+v", computes)
	}
	for _, tid := range computes.Threads {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", pid, tid)); err != nil {
			t.Error(err)
		}
	}
	if r := computes.Requests; len(r) != 1 || r[0].Slot != 5 || r[0].ID != "r5" || r[0].Route != "POST /pay" || r[0].Age <= 0 {
		t.Errorf("under way: %+v", computes.Requests)
	}
}

func TestWhoCannotAnswerIsSaidToBeThat(t *testing.T) {
	t.Parallel()
	sleeper := exec.Command("sleep", "600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
	const soon = 300 * time.Millisecond
	ask := func(pid int) error {
		_, err := selfdump.AskWithin(t.Context(), pid, soon, 2*soon)
		return err
	}
	silent := func(err error) selfdump.SilentError {
		var s *selfdump.SilentError
		if !errors.As(err, &s) {
			t.Errorf("got %v", err)
			return selfdump.SilentError{}
		}
		return *s
	}

	if err := ask(sleeper.Process.Pid); !errors.Is(err, selfdump.ErrForeign) {
		t.Errorf("of a foreign process: %v", err)
	}
	if err := ask(4194304); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no process: %v", err)
	}
	if s := silent(ask(start(t, "deaf"))); s.Name != "" || s.Stopped {
		t.Errorf("of one that hears nothing: %+v", s)
	}
	if s := silent(ask(start(t, "mute"))); s.Name != "http/0" || s.Stopped {
		t.Errorf("of one that freezes: %+v", s)
	}
	if err := ask(start(t, "garbled")); !errors.Is(err, selfdump.ErrProtocol) {
		t.Errorf("of another version: %v", err)
	}
	if err := ask(start(t, "leaving")); !errors.Is(err, selfdump.ErrEnded) {
		t.Errorf("of one that ends: %v", err)
	}
	stopped := start(t, "deadlocked")
	if err := syscall.Kill(stopped, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if s := silent(ask(stopped)); !s.Stopped {
		t.Errorf("of one that is stopped: %+v", s)
	}
	if err := syscall.Kill(stopped, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	mustAsk(t, stopped)
}

func TestNobodyAnswersInTheNameOfAnother(t *testing.T) {
	t.Parallel()
	sleeper := exec.Command("sleep", "600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() })
	pid := sleeper.Process.Pid
	now, err := process.Stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	squatter, err := net.Listen("unix", fmt.Sprintf("@seadog/%d/%d", pid, now.Started))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	if _, err := selfdump.Ask(t.Context(), pid); !errors.Is(err, selfdump.ErrForeign) {
		t.Errorf("got %v", err)
	}
}

func TestAskingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	pid := start(t, "deaf")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := selfdump.Ask(ctx, pid); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAServerIsOneOfItsProcess uses this process itself.
func TestAServerIsOneOfItsProcess(t *testing.T) {
	c := selfdump.Config{Name: func() string { return "test" }, Taker: selfdump.NewTaker(nil)}
	server, err := selfdump.Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := selfdump.Listen(c); err == nil {
		t.Error("two servers answer for one process")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	if answer, _ := mustAsk(t, os.Getpid()); answer.Name != "test" {
		t.Errorf("asked %q", answer.Name)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if _, err := selfdump.Ask(t.Context(), os.Getpid()); !errors.Is(err, selfdump.ErrForeign) {
		t.Errorf("after its end: %v", err)
	}
	again, err := selfdump.Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := again.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestTheScoreboardShowsThatADumpIsTaken(t *testing.T) {
	t.Parallel()
	region, err := newRegion()
	if err != nil {
		t.Fatal(err)
	}
	taker := selfdump.NewTaker(region)
	before := scoreboard.Now()
	d := taker.Take()
	if !d.Whole || d.Began < before || d.Total() == 0 {
		t.Errorf("%+v", d)
	}
	if since := region.Worker().Dumping; since != 0 {
		t.Errorf("it still takes one, since %d", since)
	}
}
