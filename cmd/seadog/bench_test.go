package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
	"github.com/seadog/seadog/loadtest/webhooks"
)

const (
	benchRounds = 3
	benchFor    = 3 * time.Second // of one closed loop
	benchToken  = "bench-token-bench-token"
)

// BenchmarkWebhooks measures how fast webhooks become durable: `seadog serve`
// with two HTTP workers and the full decision, against the same in an afternoon
// (Fiber and one SQLite transaction each) and against our own handler without a
// store. All three take turns on the same cores, with the sender beside them;
// medians are compared, so that only ratios matter. It fails if a bar is missed.
//
// SEADOG_BINARY names the binary; without it, one is built.
func BenchmarkWebhooks(b *testing.B) {
	service := startService(b)
	peers := []*contender{
		{name: "seadog", sender: newSender(b, service.address)},
		{name: "plain", sender: newSender(b, startPeer(b, "plain", 1))},
		{name: "storeless", sender: newSender(b, startPeer(b, "storeless", 2))},
	}
	for _, p := range peers { // so that nobody pays for having just been started
		p.closed(b, 64, 500*time.Millisecond)
	}
	b.ResetTimer()
	for b.Loop() {
		service.burst(b, peers[0].sender)
		service.open(b, peers[0].sender)
		for _, connections := range []int{64, 1000} {
			compare(b, peers, connections)
		}
	}
	b.ReportMetric(0, "ns/op")
	service.account(b, peers[0].accepted)
}

// compare lets the contenders take turns in closed loops.
func compare(b *testing.B, peers []*contender, connections int) {
	rates := make([][]float64, len(peers))
	for range benchRounds {
		for i, p := range peers {
			s := p.closed(b, connections, benchFor)
			rates[i] = append(rates[i], s.Rate())
			b.Logf("%4d connections  %-10s %s", connections, p.name, s)
		}
	}
	seadog, plain, storeless := median(rates[0]), median(rates[1]), median(rates[2])
	b.ReportMetric(seadog, fmt.Sprintf("hooks/s@%d", connections))
	floor := map[int]float64{64: 1.8, 1000: 2.2}[connections]
	bar(b, fmt.Sprintf("x-plain@%d", connections), seadog/plain, floor)
	bar(b, fmt.Sprintf("x-storeless@%d", connections), seadog/storeless, 0.45)
}

// bar reports a ratio and fails if it is below floor.
func bar(b *testing.B, name string, ratio, floor float64) {
	b.Helper()
	b.ReportMetric(ratio, name)
	if ratio < floor {
		b.Errorf("%s is %.2f, below %.2f", name, ratio, floor)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// contender is one of those that are compared.
type contender struct {
	name     string
	sender   *webhooks.Sender
	accepted int
}

func newSender(b *testing.B, address string) *webhooks.Sender {
	b.Helper()
	s, err := webhooks.New(webhooks.Config{Address: address, Hooks: hookNames(), Secret: peerSecret})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (c *contender) closed(b *testing.B, connections int, d time.Duration) webhooks.Summary {
	b.Helper()
	s, err := c.sender.Closed(b.Context(), connections, d)
	if err != nil || s.Accepted() == 0 || s.Accepted() != s.Due() {
		b.Fatalf("%s over %d connections: %s, %v", c.name, connections, s, err)
	}
	c.accepted += s.Accepted()
	return s
}

// service is a running seadog.
type service struct {
	address string
	client  *client.Client
	extra   int // accepted in bursts and open loops
}

// burst is what a forge does after an outage.
func (s *service) burst(b *testing.B, sender *webhooks.Sender) {
	var worst time.Duration
	for range benchRounds {
		got, err := sender.Burst(b.Context(), 1000)
		b.Logf("1000 at once      seadog     %s", got)
		if err != nil || got.Status[http.StatusAccepted] != 1000 {
			b.Fatalf("burst: %s, %v", got, err)
		}
		s.extra += 1000
		worst = max(worst, got.P99)
	}
	b.ReportMetric(worst.Seconds()*1000, "ms-p99-burst")
	if worst >= 200*time.Millisecond {
		b.Errorf("burst of 1000: p99 %s, not below 200ms", worst)
	}
}

// open is a steady stream that does not wait for the service.
func (s *service) open(b *testing.B, sender *webhooks.Sender) {
	got, err := sender.Open(b.Context(), 256, 2000, 10*time.Second)
	b.Logf("2000/s for 10s    seadog     %s", got)
	if err != nil || got.Status[http.StatusAccepted] != got.Due() {
		b.Fatalf("2000/s: %s, %v", got, err)
	}
	s.extra += got.Accepted()
	b.ReportMetric(got.P99.Seconds()*1000, "ms-p99-2000/s")
	switch {
	case got.Lag >= 10*time.Millisecond:
		b.Errorf("2000/s: invalid: the sender itself was late by %s; what else runs here?", got.Lag)
	case got.P99 >= 25*time.Millisecond:
		b.Errorf("2000/s: p99 %s, not below 25ms", got.P99)
	}
}

// account looks for every accepted delivery in the store.
func (s *service) account(b *testing.B, accepted int) {
	accepted += s.extra
	found := map[string]bool{}
	for filter := (deployer.DeliveryFilter{Limit: 500}); ; {
		page, err := s.client.Deliveries(b.Context(), filter)
		if err != nil {
			b.Fatalf("deliveries: %v", err)
		}
		for _, d := range page.Deliveries {
			found[d.ExternalID] = true
		}
		if filter.Before = page.Next; filter.Before == 0 {
			break
		}
	}
	if len(found) != accepted {
		b.Errorf("%d were accepted, %d are recorded", accepted, len(found))
	}
}

// startService runs `seadog serve` with a project per hook. All of them are
// locked, so that the runners, which are not what is measured, stay idle: a
// push is decided, coalesced and recorded as always, and then waits.
func startService(b *testing.B) *service {
	b.Helper()
	dir := b.TempDir()
	s := &service{address: freeAddress(b)}
	cmd := exec.Command(binary(b), "serve", "--config", writeConfig(b, dir, s.address))
	cmd.Dir = dir
	runChild(b, cmd, syscall.SIGTERM)
	var err error
	s.client, err = client.New(client.Config{URL: "http://" + s.address, Token: deployer.NewSecret(benchToken)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.client.Close)
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	for s.client.Ready(ctx) != nil {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			b.Fatal("the service did not start within 30 s")
		}
	}
	for _, name := range hookNames() {
		if _, err := s.client.Lock(ctx, name, deployer.LockRequest{Reason: "benchmark"}); err != nil {
			b.Fatalf("lock: %v", err)
		}
	}
	return s
}

func writeConfig(b *testing.B, dir, address string) string {
	b.Helper()
	var y strings.Builder
	fmt.Fprintf(&y, "listen: [%q]\nadmin: {listen: %q}\ndata: %q\nworkers: {http: 2, runners: 1}\n", address, freeAddress(b), filepath.Join(dir, "data"))
	fmt.Fprintf(&y, "api: {tokens: [{name: bench, scope: admin, token: %q}]}\nprojects:\n", benchToken)
	for _, name := range hookNames() {
		fmt.Fprintf(&y, "  %s: {repository: %q, webhook: {provider: github, secret: %q}}\n", name, filepath.Join(dir, "acme", name), peerSecret)
	}
	path := filepath.Join(dir, "seadog.yml")
	if err := os.WriteFile(path, []byte(y.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// binary returns the program to measure.
func binary(b *testing.B) string {
	b.Helper()
	if path := os.Getenv("SEADOG_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(b.TempDir(), "seadog")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// freeAddress returns a loopback address that nobody listened on just now.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// runChild starts cmd. When the test is over it closes its standard input,
// sends it stop, if that is not nil, and waits for it.
func runChild(tb testing.TB, cmd *exec.Cmd, stop os.Signal) {
	tb.Helper()
	var output bytes.Buffer // read only after Wait
	cmd.Stdout, cmd.Stderr = &output, &output
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		if stop != nil {
			_ = cmd.Process.Signal(stop)
		}
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		if err != nil || tb.Failed() {
			tb.Logf("%s: %v\n%s", cmd.Args[0], err, output.Bytes())
		}
	})
}
