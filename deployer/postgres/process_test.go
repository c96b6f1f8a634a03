package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/postgres"
	"github.com/seadog/seadog/deployer/record"
	"github.com/seadog/seadog/deployer/storetest"
)

const (
	childRole = "SEADOG_TEST_ROLE"
	childDSN  = "SEADOG_TEST_DSN"
	childArg  = "SEADOG_TEST_ARG"
)

// TestMain makes this binary the other process if it is asked to.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := child(role, os.Getenv(childDSN), os.Getenv(childArg)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(role, dsn, arg string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, postgres.Config{DSN: deployer.NewSecret(dsn)})
	if err != nil {
		return err
	}
	switch role {
	case "storm":
		return storetest.StormForever(ctx, s, arg, os.Stdout)
	case "stop-in-transaction":
		return s.Write(ctx, func(ctx context.Context, tx record.Tx) error {
			if err := tx.Own(ctx, []string{"web"}); err != nil {
				return err
			}
			fmt.Println("ready")
			return syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		})
	}
	return fmt.Errorf("no role %q", role)
}

func another(role, dsn, arg string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDSN+"="+dsn, childArg+"="+arg)
	return cmd
}

func TestKilledProcessesLoseNothingAcknowledged(t *testing.T) {
	cluster := storetest.StartCluster(t)
	dsn := cluster.Database(t)
	open(t, dsn)
	acked := storetest.KillInStorm(t, 3000, another("storm", dsn, "a"), another("storm", dsn, "b"), another("storm", dsn, "c"))
	cluster.Stop(t, syscall.SIGQUIT)
	cluster.Start(t)
	storetest.AllThere(t, open(t, dsn), acked)
}

func stoppedWriter(t *testing.T, cluster *storetest.Cluster) {
	dsn := cluster.Database(t)
	s := open(t, dsn)
	cmd := another("stop-in-transaction", dsn, "")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	if _, _, err := s.Enqueue(ctx, deployer.Order{Project: "web", Trigger: deployer.TriggerManual}); err != nil {
		t.Error(err)
	}
}
