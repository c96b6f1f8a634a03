package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer/record"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/storetest"
)

const (
	childRole = "SEADOG_TEST_ROLE"
	childPath = "SEADOG_TEST_PATH"
	childArg  = "SEADOG_TEST_ARG"
)

// TestMain makes this binary the other process if it is asked to.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := child(role, os.Getenv(childPath), os.Getenv(childArg)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(role, path, arg string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	switch role {
	case "storm":
		return storetest.StormForever(ctx, s, arg, os.Stdout)
	case "race":
		callers, _ := strconv.Atoi(arg)
		fmt.Println("ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		n, err := storetest.Storm(ctx, s, fmt.Sprint(os.Getpid()), callers, 2*time.Second)
		fmt.Println(n)
		return errors.Join(err, s.Close())
	case "stop-in-transaction":
		return s.Write(ctx, func(ctx context.Context, tx record.Tx) error {
			if _, err := tx.Exec(ctx, "insert into locks values ('half', 'done', '', 1, 0)"); err != nil {
				return err
			}
			fmt.Println("ready")
			return syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		})
	case "slow-transaction":
		return errors.Join(s.Write(ctx, func(context.Context, record.Tx) error {
			fmt.Println("ready")
			<-time.After(time.Second) // what a slow disk would do
			return nil
		}), s.Close())
	case "stop-outside":
		if err := s.Ping(ctx); err != nil {
			return err
		}
		fmt.Println("ready")
		return syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	return fmt.Errorf("no role %q", role)
}

func another(t testing.TB, role, path, arg string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childPath+"="+path, childArg+"="+arg)
	return cmd
}

// ready starts cmd and waits until it says so.
func ready(t testing.TB, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = os.Stderr
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return r
}

func TestKilledProcessesLoseNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	open(t, path)
	acked := storetest.KillInStorm(t, 3000, another(t, "storm", path, "a"), another(t, "storm", path, "b"), another(t, "storm", path, "c"))
	storetest.AllThere(t, open(t, path), acked)

	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("pragma integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
}

func TestStoppedWriterIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	s := open(t, path)
	cmd := another(t, "stop-in-transaction", path, "")
	ready(t, cmd)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := s.Ping(ctx)
	_ = cmd.Process.Signal(syscall.SIGCONT) // so that Wait returns if it was not killed
	var exit *exec.ExitError
	if wait := cmd.Wait(); !errors.As(wait, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the stopped writer ended with %v, want SIGKILL", wait)
	}
	if err != nil {
		t.Errorf("the other process: %v", err)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 0 {
		t.Errorf("the transaction of the killed writer left %v, %v", locks, err)
	}
}

func TestSlowWriterIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	s := open(t, path)
	cmd := another(t, "slow-transaction", path, "")
	ready(t, cmd)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the slow writer ended with %v", err)
	}
}

func TestStoppedProcessOutsideATransactionIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	s := open(t, path)
	cmd := another(t, "stop-outside", path, "")
	ready(t, cmd)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the stopped process ended with %v", err)
	}
}

// BenchmarkAcceptFromTwoProcesses has half of the callers in each of two processes.
func BenchmarkAcceptFromTwoProcesses(b *testing.B) {
	for _, callers := range []int{64, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "seadog.db")
			total, rounds := 0, 0
			for b.Loop() {
				total += race(b, path, callers/2)
				rounds++
			}
			b.ReportMetric(float64(total)/float64(2*rounds), "group/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// race lets two processes storm at the same time and returns how much both accepted.
func race(b *testing.B, path string, callers int) (total int) {
	b.Helper()
	type runner struct {
		cmd *exec.Cmd
		say func()
		out *bufio.Reader
	}
	var runners []runner
	for range 2 {
		cmd := another(b, "race", path, strconv.Itoa(callers))
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		runners = append(runners, runner{cmd, func() { fmt.Fprintln(in, "go") }, ready(b, cmd)})
	}
	for _, r := range runners {
		r.say()
	}
	for _, r := range runners {
		line, err := r.out.ReadString('\n')
		n, _ := strconv.Atoi(strings.TrimSpace(line))
		if err := errors.Join(err, r.cmd.Wait()); err != nil {
			b.Fatal(err)
		}
		total += n
	}
	return total
}
