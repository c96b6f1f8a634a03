package attack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

func TestTheSearchComesNearToWhatCanBeDone(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{20, 150, 700, 999} {
		tries := 0
		got, err := attack.Search(1000, func(rate float64) bool { tries++; return rate <= limit })
		if err != nil || got > limit || got < 0.9*limit || tries > 6 {
			t.Errorf("limit %v: got %v after %d tries, %v", limit, got, tries, err)
		}
	}
	if got, _ := attack.Search(1000, func(float64) bool { return false }); got != 0 {
		t.Errorf("nothing can be done, got %v", got)
	}
}

// calibrated is a scenario that is hard for its requests: signed and of all kinds.
func calibrated(rate float64) *loadtest.Scenario {
	s := scenario("127.0.0.1:1", rate, time.Minute)
	s.Thresholds = []loadtest.Threshold{{Metric: loadtest.MetricFailed}} // no latency is judged
	s.Traffic = append(s.Traffic, loadtest.Traffic{
		Name: "pushes", Phases: []string{"steady"}, Pacing: loadtest.Pacing{Kind: loadtest.Ramp, From: 0, To: rate},
		Request: loadtest.Request{
			Method: "POST", Path: "/hooks", Body: loadtest.Body{Push: "github", Repository: "acme/shop", MinSize: 7 << 10, MaxSize: 7 << 10},
			ID: loadtest.ID{Header: "X-GitHub-Delivery"}, Sign: loadtest.Sign{Scheme: "github-sha256", Header: "X-Hub-Signature-256", Secret: "s"},
		},
		Expect:    loadtest.Expect{Status: []int{202}, Contains: "queued"},
		Negatives: []loadtest.Negative{{Name: "bad", Share: 0.1, Mutate: loadtest.Mutation{Kind: "signature"}, Expect: loadtest.Expect{Status: []int{401}}}},
	})
	return s
}

func TestCalibrationSendsWhatTheScenarioSends(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{false, true} {
		s := calibrated(20)
		s.Client.FreshConns = fresh
		var log bytes.Buffer
		got, err := attack.Calibrate(context.Background(), s, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		if err != nil {
			t.Fatal(err)
		}
		if got.Rate != 50 { // 1.25 × (20 + 20)
			t.Errorf("calibrated at %v", got.Rate)
		}
		if got.OK && (got.Achieved < 49 || got.Achieved > 51 || got.Lag == 0 || got.Can != 0) || !got.OK && got.Lag < 10*time.Millisecond {
			t.Errorf("got %+v: %s", got, log.String())
		}
	}
}

func TestWhatThisMachineCannotDoIsRefusedWithWhatItCan(t *testing.T) {
	if testing.Short() {
		t.Skip("takes all processors for eight seconds")
	}
	got, err := attack.Calibrate(context.Background(), calibrated(400_000), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got.OK || got.Can >= 400_000 {
		t.Fatalf("got %+v", got)
	}
	var refusal *attack.Refusal
	if err := attack.Refuse(got); !errors.As(err, &refusal) || refusal.Rule != "G8" ||
		!strings.Contains(err.Error(), "this machine cannot send 1000000 requests a second") {
		t.Errorf("got %v", err)
	}
	if err := attack.Refuse(loadtest.Calibration{OK: true}); err != nil {
		t.Errorf("got %v", err)
	}
	can := attack.Refuse(loadtest.Calibration{Rate: 1000, Can: 500})
	if want := "it can do 500 a second: keep rates below 400, or send from another machine"; !strings.HasSuffix(can.Error(), want) {
		t.Errorf("got %v", can)
	}
}

func TestCalibrationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if _, err := attack.Calibrate(ctx, calibrated(20), slog.New(slog.DiscardHandler)); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestAScenarioWithoutLoadNeedsNoCalibration(t *testing.T) {
	t.Parallel()
	s := scenario("127.0.0.1:1", 10, time.Second)
	s.Phases[0].Scale = 0
	if got, err := attack.Calibrate(context.Background(), s, slog.New(slog.DiscardHandler)); err != nil || !got.OK {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPreflightRefusesWhatThisMachineCannotHold(t *testing.T) {
	t.Parallel()
	s := scenario("127.0.0.1:1", 10, time.Minute)
	if err := attack.Preflight(s); err != nil {
		t.Errorf("64 connections: %v", err)
	}
	refused := func(want string) {
		t.Helper()
		var refusal *attack.Refusal
		if err := attack.Preflight(s); !errors.As(err, &refusal) || refusal.Rule != "G6" || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	s.Client.MaxConns, s.Client.MaxInflight = 10_000_000, 10_000_000
	refused("10000000 connections need 15000256 descriptors, the limit is ")
	s.Client.MaxConns, s.Client.MaxInflight, s.Client.FreshConns = 64, 64, true
	if err := attack.Preflight(s); err != nil {
		t.Errorf("600 connections in a minute: %v", err)
	}
	s.Traffic[0].Pacing.Rate = 1000
	refused("up to 60000 new connections within a minute need 90000 ports, and ")
	s.Phases = []loadtest.Phase{{Name: "a", For: 5 * time.Second, Scale: 1}, {Name: "b", For: 5 * time.Minute, Scale: 0.001}}
	if err := attack.Preflight(s); err != nil {
		t.Errorf("5,000 connections in five seconds: %v", err)
	}
	s.Traffic[0].Pacing.Rate = 100
	s.Phases = []loadtest.Phase{{Name: "a", For: time.Hour, Scale: 1}}
	if err := attack.Preflight(s); err != nil {
		t.Errorf("6,000 connections a minute: %v", err)
	}
}

func TestPortsTowardsTheTargetAreCounted(t *testing.T) {
	t.Parallel()
	line := func(local, remote int) string {
		return fmt.Sprintf("   1: 0100007F:%04X 0100007F:%04X 06 00000000:00000000 00:00000000 00000000     0\n", local, remote)
	}
	table := "  sl  local_address rem_address   st tx_queue\n" +
		line(40000, 8080) + line(40009, 8080) + // two of ours
		line(39999, 8080) + // not of the range
		line(40001, 9090) + // to somebody else
		line(8080, 40000) + // the other end
		"   9: 00000000000000000000000001000000:9C42 00000000000000000000000001000000:1F90 01 0\n" + "nonsense\n"
	if got := attack.Ports(table, 8080, 40000, 40009); got != 3 {
		t.Errorf("got %d", got)
	}
}
