package e2e_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/locate"
)

// lab is one `seadog lab`.
type lab struct {
	t          *testing.T
	cmd        *exec.Cmd
	data       string
	url, admin string
}

// startLab starts a lab whose workers are given up soon.
func startLab(t *testing.T, args ...string) *lab {
	t.Helper()
	ports := freePorts(t, 2)
	listen, admin := fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1])
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "lab.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	l := &lab{t: t, data: filepath.Join(dir, "data"), url: "http://" + listen, admin: "http://" + admin}
	l.cmd = exec.Command(binary, append([]string{
		"lab", "--listen", listen, "--admin", admin, "--data", l.data, "--harakiri", "300ms", "--mercy", "300ms",
	}, args...)...)
	l.cmd.Stdout, l.cmd.Stderr = log, log
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(30*time.Second, func() { _ = l.cmd.Process.Kill() })
		defer kill.Stop()
		if err := l.cmd.Wait(); err != nil {
			t.Errorf("the lab ended with %v", err)
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s", text)
		}
	})
	if !await(20*time.Second, func() bool {
		all, _, err := scrape(l.admin)
		return err == nil && all[`seadog_watchdog_workers{pool="lab",state="spare"}`] == 1
	}) {
		t.Fatal("the lab is not ready")
	}
	return l
}

// get asks and forgets: faults have no answer worth having.
func (l *lab) get(path string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+path, nil)
	if err != nil {
		l.t.Error(err)
		return
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// pids returns the processes of a pool.
func (l *lab) pids(pool string) []int {
	l.t.Helper()
	place, err := locate.Find(filepath.Join(l.data, "master.json"))
	if err != nil {
		l.t.Error(err)
		return nil
	}
	board, err := place.Open()
	if err != nil {
		l.t.Error(err)
		return nil
	}
	defer board.Close()
	var pids []int
	for _, w := range board.Snapshot().Pool(pool).Workers {
		if w.PID > 1 {
			pids = append(pids, w.PID)
		}
	}
	return pids
}

var counters = regexp.MustCompile(`^seadog_\w+_(total|bucket|count|sum)\b`)

// TestCountersNeverGoBackwards: whoever is killed, stopped, recycled or
// replaced, the process that answers the scrapes included.
func TestCountersNeverGoBackwards(t *testing.T) {
	l := startLab(t, "--max-requests", "40")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		for ctx.Err() == nil {
			l.get("/health")
		}
	})
	wg.Go(func() { l.ruin(ctx, random) })

	last, scrapes, ends := series{}, 0, 0.0
	for began := time.Now(); ctx.Err() == nil && (time.Since(began) < 8*time.Second || scrapes < 50 || ends < 8); {
		now, _, err := scrape(l.admin)
		if err != nil {
			continue // it was killed
		}
		scrapes++
		for name, before := range last {
			if value, shown := now[name]; !shown || value < before {
				t.Errorf("%s was %v and is %v (shown: %t)", name, before, value, shown)
			}
		}
		last, ends = series{}, 0
		for name, value := range now {
			if counters.MatchString(name) {
				last[name] = value
			}
			if strings.HasPrefix(name, "seadog_watchdog_worker_ends_total") {
				ends += value
			}
		}
	}
	t.Logf("%d scrapes of %d counters while %v workers ended", scrapes, len(last), ends)
	if ctx.Err() != nil || len(last) < 100 {
		t.Error("that proves nothing")
	}
}

// ruin does one thing after the other to the lab.
func (l *lab) ruin(ctx context.Context, random *rand.Rand) {
	victim := func(pool string, sig syscall.Signal) {
		if pids := l.pids(pool); len(pids) > 0 {
			_ = syscall.Kill(pids[random.IntN(len(pids))], sig)
		}
	}
	for ctx.Err() == nil {
		switch random.IntN(8) {
		case 0:
			victim("admin", syscall.SIGKILL)
		case 1:
			victim("lab", syscall.SIGKILL)
		case 2:
			victim("lab", syscall.SIGSTOP)
		case 3:
			_ = l.cmd.Process.Signal(syscall.SIGHUP)
		case 4:
			l.get("/sleep?s=1")
		case 5:
			l.get("/spin?s=2")
		case 6:
			l.get("/crash")
		case 7:
			go l.get("/lockorder") // ends with its timeout
			l.get("/lockorder")
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
		}
	}
}
