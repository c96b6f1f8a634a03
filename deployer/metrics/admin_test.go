package metrics_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/deployer/metrics"
)

// admin runs an admin server until the test ends and returns how to ask it.
func admin(t *testing.T, checks ...metrics.Check) func(path string) (int, string) {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "seadog_test", Help: "."}, func() float64 { return 42 }))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	a := metrics.Admin{Gatherer: reg, Checks: checks, Deadline: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- a.Run(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	t.Cleanup(func() {
		cancel()
		client.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(path string) (int, string) {
		res, err := client.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

func ok(context.Context) error { return nil }

func TestTheAdminServerShowsMetricsAndHealth(t *testing.T) {
	t.Parallel()
	ask := admin(t)
	if status, body := ask("/metrics"); status != 200 || !strings.Contains(body, "seadog_test 42") {
		t.Errorf("metrics: %d %s", status, body)
	}
	if status, body := ask("/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, _ := ask("/debug/pprof/"); status != 404 {
		t.Errorf("something else: %d", status)
	}
}

func TestReadinessIsAllChecksButTheAdvisoryOnes(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) error { return errors.New("no space left on device") }
	for name, test := range map[string]struct {
		checks []metrics.Check
		status int
	}{
		"none":                  {nil, 200},
		"all well":              {[]metrics.Check{{Name: "store", Probe: ok}, {Name: "keeper", Probe: ok}}, 200},
		"one is not":            {[]metrics.Check{{Name: "store", Probe: broken}, {Name: "keeper", Probe: ok}}, 503},
		"only an advisory says": {[]metrics.Check{{Name: "store", Probe: ok}, {Name: "engine", Probe: broken, Advisory: true}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := admin(t, test.checks...)("/readyz")
			var r metrics.Readiness
			if err := json.Unmarshal([]byte(body), &r); err != nil {
				t.Fatal(err)
			}
			if status != test.status || r.Ready != (test.status == 200) || len(r.Checks) != len(test.checks) {
				t.Errorf("got %d %s", status, body)
			}
			for i, f := range r.Checks {
				if f.Name != test.checks[i].Name || f.OK == (f.Error != "") {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

// TestACheckThatHangsIsReportedAndNotStartedAgain: also one that does not respect its context.
func TestACheckThatHangsIsReportedAndNotStartedAgain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var started atomic.Int64
	ask := admin(t, metrics.Check{Name: "disk", Probe: func(context.Context) error {
		started.Add(1)
		<-release
		return nil
	}}, metrics.Check{Name: "store", Probe: ok})
	for range 3 {
		began := time.Now()
		status, body := ask("/readyz")
		if status != 503 || !strings.Contains(body, "no answer for") || !strings.Contains(body, `"store","ok":true`) {
			t.Errorf("got %d %s", status, body)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	}
	if n := started.Load(); n != 1 {
		t.Errorf("started %d times, want once", n)
	}
	close(release)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if status, body := ask("/readyz"); status == 200 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("still %s", body)
		}
	}
}

func TestAnAdminServerWithoutItsPartsIsRefused(t *testing.T) {
	t.Parallel()
	if err := (metrics.Admin{}).Run(context.Background(), nil); err == nil {
		t.Error("no error")
	}
}
