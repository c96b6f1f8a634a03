package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

func TestAdhoc(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("CALLERS"))
	if n == 0 {
		t.Skip()
	}
	path := os.Getenv("DBPATH")
	if path == "" {
		path = t.TempDir() + "/x/db"
	}
	s, err := Open(context.Background(), Config{Path: path, Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	var count, batches atomic.Int64
	_ = &batches
	dur := 4 * time.Second
	end := time.Now().Add(dur)
	var wg sync.WaitGroup
	lat := make([][]time.Duration, n)
	for i := range n {
		wg.Go(func() {
			for k := 0; time.Now().Before(end); k++ {
				p := fmt.Sprintf("project-%d", (i+k)%8)
				t0 := time.Now()
				_, err := s.Accept(context.Background(), deployer.Intake{
					Hook: p, Provider: deployer.GitHub, ExternalID: fmt.Sprintf("%08x-%d-%d-%d", uint32(i*7919+k)*2654435761, os.Getpid(), i, k), Event: "push", Bytes: 7000,
					Wanted: []deployer.Order{{Project: p, Trigger: deployer.TriggerPush, Ref: "refs/heads/main", Commit: fmt.Sprintf("%040x", i*100000+k), Before: "x", Message: "a commit message of the usual length, about sixty bytes long", By: "octocat"}},
				})
				if err != nil {
					t.Error(err)
					return
				}
				lat[i] = append(lat[i], time.Since(t0))
				count.Add(1)
			}
		})
	}
	wg.Wait()
	var mx time.Duration
	for _, l := range lat {
		for _, d := range l {
			mx = max(mx, d)
		}
	}
	fmt.Printf("callers %d: %.0f/s max %v\n", n, float64(count.Load())/dur.Seconds(), mx)
	t0 := time.Now()
	fmt.Println(s.Tally(context.Background()))
	fmt.Println(time.Since(t0), s.Close())
}
