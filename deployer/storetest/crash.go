package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// StormForever accepts deliveries from 32 callers until the process is killed,
// and writes the external id of each to out after it was acknowledged.
func StormForever(ctx context.Context, s deployer.Store, prefix string, out io.Writer) error {
	var mu sync.Mutex
	return together(32, func(i int) error {
		for n := 0; ; n++ {
			d, err := s.Accept(ctx, StormIntake(prefix, i, n))
			if err != nil {
				return err
			}
			mu.Lock()
			_, err = fmt.Fprintln(out, d.ExternalID)
			mu.Unlock()
			if err != nil {
				return err
			}
		}
	})
}

// KillInStorm starts the commands, which run [StormForever], kills them with
// SIGKILL once they have acknowledged enough, and returns what they acknowledged.
func KillInStorm(t *testing.T, enough int, cmds ...*exec.Cmd) (acked []string) {
	t.Helper()
	lines := make(chan string)
	var readers sync.WaitGroup
	for _, cmd := range cmds {
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		readers.Go(func() {
			for r := bufio.NewReader(out); ; {
				line, err := r.ReadString('\n')
				if err != nil { // what is not a whole line was not acknowledged to anybody
					return
				}
				lines <- strings.TrimSpace(line)
			}
		})
		defer func() {
			if err := cmd.Wait(); err == nil || errs.Len() > 0 {
				t.Errorf("the child ended by itself: %v\n%s", err, errs.String())
			}
		}()
	}
	go func() { readers.Wait(); close(lines) }()
	deadline := time.AfterFunc(time.Minute, func() { kill(cmds) })
	defer deadline.Stop()
	for line := range lines {
		if acked = append(acked, line); len(acked) == enough {
			kill(cmds)
		}
	}
	if len(acked) < enough {
		t.Fatalf("only %d deliveries were acknowledged in a minute", len(acked))
	}
	return acked
}

func kill(cmds []*exec.Cmd) {
	for _, cmd := range cmds {
		_ = cmd.Process.Kill()
	}
}

// AllThere fails the test unless every acknowledged delivery is in s and each
// of the storm's 8 projects has exactly one deployment that waits.
func AllThere(t *testing.T, s deployer.Store, acked []string) {
	t.Helper()
	stored := map[string]int{}
	for f := (deployer.DeliveryFilter{Limit: 500}); ; {
		page := must[[]deployer.Delivery](t)(s.Deliveries(t.Context(), f))
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			stored[d.ExternalID]++
			f.Before = d.ID
		}
	}
	missing := 0
	for _, id := range acked {
		if stored[id] != 1 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged deliveries are not stored exactly once", missing, len(acked))
	}
	waiting := map[string]int{}
	for _, d := range must[[]deployer.Deployment](t)(all(t.Context(), s, deployer.DeploymentFilter{})) {
		if !d.Status.Final() {
			waiting[d.Project]++
		}
	}
	for i := range 8 {
		if p := fmt.Sprintf("project-%d", i); waiting[p] != 1 {
			t.Errorf("%d deployments of %s wait, want 1", waiting[p], p)
		}
	}
	t.Logf("%d acknowledged, %d stored", len(acked), len(stored))
}
