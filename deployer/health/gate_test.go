package health_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is an engine whose containers are a function of the time since it was first asked.
type script struct {
	begun time.Time
	at    func(time.Duration) ([]health.Observation, error)
}

func (s *script) Services(ctx context.Context, _ string) ([]health.Observation, error) {
	if s.begun.IsZero() {
		s.begun = time.Now()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.at(time.Since(s.begun))
}

// started is when the engine says that something started: another clock than ours.
func started(run int) time.Time { return time.Unix(int64(1000+run), 0) }

func one(o health.Observation) ([]health.Observation, error) {
	o.Service, o.ID = "web", "c1"
	return []health.Observation{o}, nil
}

func web() []health.Expect { return []health.Expect{{Service: "web", Replicas: 1}} }

func TestGate(t *testing.T) {
	policy := deployer.HealthPolicy{Stable: 5 * time.Second}
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		at     func(time.Duration) ([]health.Observation, error)
		expect health.Outcome
		reason string
		after  time.Duration
		err    error
	}{
		"passes when the container has run long enough before our eyes": {
			at: func(time.Duration) ([]health.Observation, error) {
				return one(health.Observation{State: health.Running, Started: started(0), Restarts: 40})
			},
			expect: health.Passed, after: 5 * time.Second,
		},
		"passes as soon as the health check does": {
			at: func(d time.Duration) ([]health.Observation, error) {
				if d < 2*time.Second {
					return one(health.Observation{State: health.Running, Check: health.CheckStarting})
				}
				return one(health.Observation{State: health.Running, Check: health.CheckHealthy})
			},
			expect: health.Passed, after: 2 * time.Second,
		},
		"counts anew from a restart, and forgives it": {
			at: func(d time.Duration) ([]health.Observation, error) {
				if d < 3*time.Second {
					return one(health.Observation{State: health.Running, Started: started(0)})
				}
				return one(health.Observation{State: health.Running, Started: started(1), Restarts: 1})
			},
			expect: health.Passed, after: 8 * time.Second,
		},
		"fails a crash loop without waiting for the end": {
			at: func(d time.Duration) ([]health.Observation, error) {
				n := int(d / time.Second)
				return one(health.Observation{State: health.Running, Started: started(n), Restarts: 10 + n, ExitCode: 1})
			},
			expect: health.Failed, after: 3 * time.Second, reason: "web: crash-looping: restarted 3 times, last exit code 1",
		},
		"counts all restarts of a container that came later": {
			at: func(d time.Duration) ([]health.Observation, error) {
				if d == 0 {
					return nil, nil
				}
				return one(health.Observation{State: health.Restarting, Restarts: 3, ExitCode: 2})
			},
			expect: health.Failed, after: 500 * time.Millisecond, reason: "web: crash-looping: restarted 3 times, last exit code 2",
		},
		"fails at the end of its time what still waits": {
			at:     func(time.Duration) ([]health.Observation, error) { return nil, nil },
			expect: health.Failed, after: time.Minute, reason: "web: not healthy in time: there is no container",
		},
		"survives an engine that is away for a moment": {
			at: func(d time.Duration) ([]health.Observation, error) {
				if d > 0 && d < 1500*time.Millisecond {
					return nil, boom
				}
				return one(health.Observation{State: health.Running, Started: started(0)})
			},
			expect: health.Passed, after: 5 * time.Second,
		},
		"gives up on an engine that is away for longer": {
			at:     func(time.Duration) ([]health.Observation, error) { return nil, boom },
			expect: health.Waiting, after: time.Second, err: boom,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begun := time.Now()
				g := health.Gate{Project: "p", Want: web(), Policy: policy, Observer: &script{at: tt.at}}
				v, err := g.Run(ctx)
				if v.Outcome != tt.expect || !errors.Is(err, tt.err) {
					t.Errorf("got %s, %v, want %s, %v", v.Outcome, err, tt.expect, tt.err)
				}
				if diff := cmp.Diff(tt.reason, v.Reason()); diff != "" && tt.err == nil {
					t.Errorf("reason (-want +got):\n%s", diff)
				}
				if took := time.Since(begun); took != tt.after {
					t.Errorf("took %s, want %s", took, tt.after)
				}
			})
		})
	}
}

func TestGateReportsEveryChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		g := health.Gate{
			Want: web(), Policy: deployer.HealthPolicy{Stable: 2 * time.Second}, Changed: func(f health.Finding) { got = append(got, f.String()) },
			Observer: &script{at: func(d time.Duration) ([]health.Observation, error) {
				if d < 3*time.Second {
					return nil, nil
				}
				return one(health.Observation{State: health.Running})
			}},
		}
		if _, err := g.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"web: there is no container", "web: running, not yet for 2s", "web: running"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestGateThatSawNothingLatelyDoesNotJudge: an engine that hangs under the last
// look until the time is over is no service that is not healthy.
func TestGateThatSawNothingLatelyDoesNotJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		g := health.Gate{
			Project: "p", Want: web(), Policy: deployer.HealthPolicy{Stable: 5 * time.Second},
			Observer: &script{at: func(d time.Duration) ([]health.Observation, error) {
				if d < time.Second {
					return one(health.Observation{State: health.Running, Started: started(0)})
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}},
		}
		v, err := g.Run(ctx)
		if v.Outcome != health.Waiting || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %s, %v", v.Outcome, err)
		}
	})
}

func TestGateIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("somebody said so")
	cancel(cause)
	g := health.Gate{Want: web(), Observer: &script{at: func(time.Duration) ([]health.Observation, error) { return nil, nil }}}
	if v, err := g.Run(ctx); !errors.Is(err, cause) || v.Outcome != health.Waiting {
		t.Errorf("got %s, %v", v.Outcome, err)
	}
}

func TestGateProbes(t *testing.T) {
	healthy := &script{at: func(time.Duration) ([]health.Observation, error) {
		return one(health.Observation{State: health.Running, Check: health.CheckHealthy})
	}}
	run := func(t *testing.T, limit time.Duration, probes ...deployer.Probe) health.Verdict {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		g := health.Gate{Want: web(), Policy: deployer.HealthPolicy{Probes: probes}, Observer: healthy, Interval: 10 * time.Millisecond}
		v, err := g.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	serve := func(t *testing.T, h http.HandlerFunc) string {
		t.Helper()
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}

	t.Run("pass when the service answers at last", func(t *testing.T) {
		asked := 0
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked < 3 {
				w.WriteHeader(http.StatusBadGateway)
			}
		})
		if v := run(t, 10*time.Second, deployer.Probe{HTTP: url}); v.Outcome != health.Passed || asked != 3 {
			t.Errorf("got %s after %d requests: %s", v.Outcome, asked, v.Reason())
		}
	})
	t.Run("fail with the status that came instead", func(t *testing.T) {
		url := serve(t, func(http.ResponseWriter, *http.Request) {})
		v := run(t, 100*time.Millisecond, deployer.Probe{HTTP: url, Status: http.StatusTeapot})
		if want := url + ": not healthy in time: answered with status 200"; v.Outcome != health.Failed || v.Reason() != want {
			t.Errorf("got %s: %s, want %s", v.Outcome, v.Reason(), want)
		}
	})
	t.Run("follow no redirect to another host", func(t *testing.T) {
		visited := false
		other := serve(t, func(http.ResponseWriter, *http.Request) { visited = true })
		url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) })
		if v := run(t, 10*time.Second, deployer.Probe{HTTP: url, Status: http.StatusFound}); v.Outcome != health.Passed || visited {
			t.Errorf("got %s, other host visited: %v", v.Outcome, visited)
		}
	})
	t.Run("follow redirects within the service", func(t *testing.T) {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/in" {
				http.Redirect(w, r, "/in", http.StatusFound)
			}
		})
		if v := run(t, 10*time.Second, deployer.Probe{HTTP: url, Status: http.StatusOK}); v.Outcome != health.Passed {
			t.Errorf("got %s: %s", v.Outcome, v.Reason())
		}
	})
	t.Run("connect by TCP", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		if v := run(t, 10*time.Second, deployer.Probe{TCP: address}); v.Outcome != health.Passed {
			t.Errorf("listening: got %s: %s", v.Outcome, v.Reason())
		}
		l.Close()
		if v := run(t, 50*time.Millisecond, deployer.Probe{TCP: address}); v.Outcome != health.Failed || !strings.HasPrefix(v.Reason(), "tcp "+address) {
			t.Errorf("closed: got %s: %s", v.Outcome, v.Reason())
		}
	})
	t.Run("do not wait for a service that is silent", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		v := run(t, 200*time.Millisecond, deployer.Probe{HTTP: "http://" + l.Addr().String()})
		if v.Outcome != health.Failed || !strings.Contains(v.Reason(), "no answer in time") {
			t.Errorf("got %s: %s", v.Outcome, v.Reason())
		}
	})
	t.Run("are not asked while a service waits", func(t *testing.T) {
		asked := false
		url := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		g := health.Gate{
			Want: web(), Policy: deployer.HealthPolicy{Probes: []deployer.Probe{{HTTP: url}}}, Interval: 10 * time.Millisecond,
			Observer: &script{at: func(time.Duration) ([]health.Observation, error) { return nil, nil }},
		}
		if v, _ := g.Run(ctx); v.Outcome != health.Failed || asked {
			t.Errorf("got %s, asked: %v", v.Outcome, asked)
		}
	})
}
