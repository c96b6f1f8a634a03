package run_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/run"
	"github.com/seadog/seadog/loadtest/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scenario reads a scenario against url.
func scenario(t *testing.T, url, text string) *loadtest.Scenario {
	t.Helper()
	s, err := spec.Parse("test.yaml", []byte("version: 1\nname: test\nseed: 7\n"+text), spec.Options{BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// against returns the verdicts of all reasons but those that blame this
// machine: what else runs on it is not what is tested here.
func against(r *loadtest.Report) (all []loadtest.Verdict) {
	for _, reason := range r.Reasons {
		if reason.Verdict != loadtest.Invalid {
			all = append(all, reason.Verdict)
		}
	}
	return all
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

const steady = `
client: {max_inflight: 64, timeout: 3s}
phases:
  - {name: steady, for: 1s}
scenarios:
  - name: pages
    pacing: {kind: constant, rate: 100/s}
    request: {method: GET, path: /}
    expect: {status: [200]}
hang: {drain: 2s}
`

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestARunThatHoldsPasses(t *testing.T) {
	t.Parallel()
	s := scenario(t, serve(t, ok), steady+"thresholds: ['max(response) < 2s', 'ratio(failed) <= 0%']\n")
	r, err := run.Run(t.Context(), s, run.Options{Uncalibrated: true, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if len(against(r)) != 0 || len(r.Reasons) == 0 && (r.Verdict != loadtest.Pass || r.Code != 0) {
		t.Errorf("%s %+v", r.Verdict, r.Reasons)
	}
	if got := r.Traffic[0]; got.Planned != 100 || got.Sent != 100 || got.Outcomes["ok"] != 100 || got.Response.N != 100 {
		t.Errorf("%+v", got)
	}
	if len(r.Thresholds) != 2 || r.Identity.Kernel == "" || r.Identity.CPUs == 0 || len(r.Series) == 0 {
		t.Errorf("%+v %+v, %d rows", r.Thresholds, r.Identity, len(r.Series))
	}
}

func TestARunThatBreaksAThresholdFails(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := scenario(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}), steady+"thresholds: ['ratio(failed) <= 1%']\n")
	r, err := run.Run(t.Context(), s, run.Options{Uncalibrated: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(against(r), []loadtest.Verdict{loadtest.SLO}) || r.Traffic[0].Statuses["502"] != 10 {
		t.Errorf("%s %+v %+v", r.Verdict, r.Reasons, r.Traffic[0])
	}
}

func TestAStopEndsTheRunWithAReport(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		stop(&run.Stopped{Verdict: loadtest.Terminated})
		<-release
	})
	t.Cleanup(func() { close(release) }) // before the server closes
	s := scenario(t, url, steady)
	s.Phases[0].For = time.Minute
	r, err := run.Run(ctx, s, run.Options{Uncalibrated: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != loadtest.Terminated || r.Code != 143 || r.Traffic[0].Sent == 0 {
		t.Errorf("%s %+v %+v", r.Verdict, r.Reasons, r.Traffic[0])
	}
}
