package attack_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

// vegetaCommand is what the engine is measured against.
const vegetaCommand = "github.com/tsenart/vegeta/v12@v12.13.0"

const rounds = 5

// BenchmarkMaximumRate lets the vegeta command and this package take turns with
// 64 requests in flight against the same server on the same cores, as fast as
// they can. Vegeta writes its results to a file, as it does for its users; here
// every request is timed from its schedule, judged and counted. The server
// counts what it gets. Medians are compared; it fails if a bar is missed.
//
// SEADOG_VEGETA names the vegeta command; without it, one is built.
func BenchmarkMaximumRate(b *testing.B) {
	defer attack.Unhurried()()
	command := buildVegeta(b)
	address := child(b, "server")
	contenders := map[string]func(){
		"vegeta":   func() { commandAttack(b, command, address) },
		"nethttp":  func() { ownAttack(b, address, loadtest.NetHTTP) },
		"fasthttp": func() { ownAttack(b, address, loadtest.FastHTTP) },
	}
	names := []string{"vegeta", "nethttp", "fasthttp"}
	rates := map[string][]float64{}
	for b.Loop() {
		for range rounds {
			for _, name := range names {
				rate := counted(b, address, contenders[name])
				rates[name] = append(rates[name], rate)
				b.Logf("%-8s %8.0f/s", name, rate)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(rates["vegeta"]), "vegeta/s")
	for _, name := range names[1:] {
		b.ReportMetric(median(rates[name]), name+"/s")
		bar(b, "x-vegeta-"+name, median(rates[name])/median(rates["vegeta"]), 1)
	}
}

const (
	fullSpeed = 4 * time.Second // of one contender
	looks     = 2500 * time.Millisecond
)

// counted returns how many requests a second the server gets, in the middle of
// an attack.
func counted(b *testing.B, address string, attack func()) float64 {
	b.Helper()
	var attacker sync.WaitGroup
	attacker.Go(attack)
	<-time.After((fullSpeed - looks) / 2)
	before, began := served(b, address), time.Now()
	<-time.After(looks)
	after, took := served(b, address), time.Since(began)
	attacker.Wait()
	return float64(after-before) / took.Seconds()
}

// served asks a child how many requests it got.
func served(b *testing.B, address string) int {
	b.Helper()
	resp, err := http.Get("http://" + address + "/served")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		b.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return n
}

// stalled makes a child stand still, and returns when it goes on.
func stalled(b *testing.B, address string) {
	resp, err := http.Get("http://" + address + "/stall")
	if err != nil {
		b.Error(err)
		return
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}

func buildVegeta(b *testing.B) string {
	b.Helper()
	if command := os.Getenv("SEADOG_VEGETA"); command != "" {
		return command
	}
	dir := b.TempDir()
	cmd := exec.Command("go", "install", vegetaCommand)
	cmd.Env, cmd.Dir = append(os.Environ(), "GOBIN="+dir), dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build vegeta: %v: %s", err, out)
	}
	return filepath.Join(dir, "vegeta")
}

func commandAttack(b *testing.B, command, address string) {
	cmd := exec.Command(command, "attack", "-rate", "0", "-max-workers", "64", "-workers", "64", "-keepalive=true",
		"-duration", fullSpeed.String(), "-output", filepath.Join(b.TempDir(), "results.bin"))
	cmd.Stdin = strings.NewReader("GET http://" + address + "/\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Errorf("vegeta: %v: %s", err, out)
	}
}

// ownAttack sends at a rate that nobody can, and what it cannot send waits.
func ownAttack(b *testing.B, address string, transport loadtest.Transport) {
	s := scenario(address, 200_000, time.Hour)
	s.Client.Transport, s.Client.CatchUp, s.Client.LateLimit = transport, 0, time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), fullSpeed)
	defer cancel()
	a, err := attack.New(attack.Config{Scenario: s, Sink: &outcomes{}})
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil {
		b.Error(err)
	}
}

// outcomes is a sink that counts.
type outcomes [loadtest.Outcomes]int

func (o *outcomes) Take(s *loadtest.Sample) { o[s.Outcome]++ }

// BenchmarkScheduleLag measures how late requests are sent at 5,000 a second,
// with a server on the same cores. A process beside it does nothing but sleep
// for a millisecond at a time: how late that is woken is the machine's doing,
// and what is measured meanwhile says little. So rounds go on until five were
// quiet, or twenty have passed.
func BenchmarkScheduleLag(b *testing.B) {
	const quiet, most = 0.5, 20 // ms; rounds
	defer attack.Unhurried()()
	address := child(b, "server")
	for _, transport := range transports() {
		b.Run(string(transport), func(b *testing.B) {
			var late, own []float64
			for b.Loop() {
				for range most {
					if len(late) == rounds {
						break
					}
					s := scenario(address, 5000, 4*time.Second)
					s.Client.Transport, s.Client.MaxInflight, s.Client.MaxConns = transport, 256, 256
					var sleeper sync.WaitGroup
					var machine float64
					sleeper.Go(func() { machine = machineLag(b, 4*time.Second) })
					_, samples := send(b, s)
					sleeper.Wait()
					all, self := ms(p99(samples, func(s *loadtest.Sample) time.Duration { return s.Sent - s.Due })), ms(p99(samples, (*loadtest.Sample).SelfLag))
					b.Logf("late p50 %s, p99 %.2f ms, of that our own %.2f ms; the machine's p99 %.2f ms", p50(samples), all, self, machine)
					if machine <= quiet {
						late, own = append(late, all), append(own, self)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(late)), "quiet-rounds")
			if len(late) == 0 {
				b.Skip("SKIPPED: the machine was not quiet for one round")
			}
			b.ReportMetric(median(own), "ms-p99-self")
			ceiling(b, "ms-p99-late", median(late), 1.5)
		})
	}
}

// machineLag is how late a process is woken that only sleeps: p99, in ms.
func machineLag(b *testing.B, d time.Duration) float64 {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"=sleeper "+d.String())
	out, err := cmd.Output()
	if err != nil {
		b.Error(err)
		return 0
	}
	lag, err := time.ParseDuration(strings.TrimSpace(string(out)))
	if err != nil {
		b.Error(err)
	}
	return ms(lag)
}

func sleep(d time.Duration) int {
	runtime.LockOSThread()
	var late []time.Duration
	nap := unix.NsecToTimespec(int64(time.Millisecond))
	for start := time.Now(); time.Since(start) < d; {
		began := time.Now()
		_ = unix.Nanosleep(&nap, nil)
		late = append(late, time.Since(began)-time.Millisecond)
	}
	slices.Sort(late)
	fmt.Println(late[len(late)*99/100])
	return 0
}

func p50(samples []loadtest.Sample) time.Duration {
	late := make([]time.Duration, len(samples))
	for i := range samples {
		late[i] = samples[i].Sent - samples[i].Due
	}
	slices.Sort(late)
	return late[len(late)/2]
}

// BenchmarkStall stalls the server for two seconds at 1,000 a second with ten
// slots, and compares the p99 of response with what it is by the schedule.
func BenchmarkStall(b *testing.B) {
	address := child(b, "server")
	var off, selfShare []float64
	for b.Loop() {
		for range 3 {
			s := scenario(address, 1000, 8*time.Second)
			s.Client.MaxInflight, s.Client.LateLimit = 10, 10*time.Second
			a, sink := prepare(b, s)
			var staller sync.WaitGroup
			var from, to time.Duration
			staller.Go(func() {
				<-time.After(3*time.Second - time.Since(a.Start()))
				from = time.Since(a.Start())
				stalled(b, address)
				to = time.Since(a.Start())
			})
			if err := a.Run(context.Background()); err != nil {
				b.Fatal(err)
			}
			staller.Wait()
			truth := p99(sink.all, func(s *loadtest.Sample) time.Duration { return standstill(from, to)(s.Due) })
			got := p99(sink.all, (*loadtest.Sample).Response)
			self, slot := lateness(sink.all)
			b.Logf("p99 of response %s, by the schedule %s; late %s through the target, %s through ourselves", got, truth, slot, self)
			off = append(off, max(float64(got)/float64(truth), float64(truth)/float64(got)))
			selfShare = append(selfShare, 100*float64(self)/float64(self+slot))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(selfShare), "%-self")
	ceiling(b, "x-truth", median(off), 1.05)
}

// BenchmarkInflight holds 10,000 webhooks in flight, each on a connection of its
// own, at 5,000 a second, against a server that takes two seconds for each. The
// median of three rounds, as elsewhere: two must be without a generator fault.
func BenchmarkInflight(b *testing.B) {
	defer attack.Unhurried()()
	for b.Loop() {
		const rounds = 3
		good, least := 0, math.MaxInt
		for range rounds {
			debug.FreeOSMemory() // of the round before, whose connections are still being closed
			<-time.After(5 * time.Second)
			g, most, got := hold(b)
			if g.OK && got[loadtest.OK] == 40_000 {
				good++
			}
			least = min(least, most)
		}
		if good <= rounds/2 || least < 9_900 {
			b.Errorf("%d of %d rounds without a fault; %d in flight at least", good, rounds, least)
		}
		b.ReportMetric(float64(least), "inflight")
		b.ReportMetric(float64(good), "good-rounds")
	}
	b.ReportMetric(0, "ns/op")
}

// hold is one round: what the generator says of itself, how many were in flight
// at most, and what became of all.
func hold(b *testing.B) (loadtest.GeneratorReport, int, outcomes) {
	b.Helper()
	s := calibrated(1)
	s.Target.BaseURL = "http://" + child(b, "slow") // another port, as those of the last round are not free yet
	s.Traffic = s.Traffic[1:]
	s.Phases = []loadtest.Phase{{Name: "steady", For: 8 * time.Second, Judged: true, Scale: 1}}
	t := &s.Traffic[0]
	t.Pacing, t.Negatives, t.Expect = loadtest.Pacing{Kind: loadtest.Constant, Rate: 5000}, nil, loadtest.Expect{Status: []int{200}}
	t.Request.Body.MinSize, t.Request.Body.MaxSize = 2<<10, 2<<10
	s.Client.MaxInflight, s.Client.MaxConns, s.Client.Timeout, s.Client.LateLimit = 12_000, 12_000, 20*time.Second, 10*time.Second
	if err := attack.Preflight(s); err != nil {
		b.Fatal(err)
	}
	var got outcomes
	a, err := attack.New(attack.Config{Scenario: s, Sink: &got})
	if err != nil {
		b.Fatal(err)
	}
	most := 0
	var watch sync.WaitGroup
	over := make(chan struct{})
	watch.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, a.Counts().Inflight)
			case <-over:
				return
			}
		}
	})
	if err := a.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
	close(over)
	watch.Wait()
	g := a.Generator()
	b.Logf("outcomes %v, %d in flight at most, %.2f cores, %d MiB, p99 of self_lag %s, of the wait for a processor %s",
		got, most, g.CPU, g.RSS>>20, g.Rules[0].Value, g.Rules[3].Value)
	for _, r := range g.Rules {
		if !r.OK {
			b.Logf("%s %s: %s, limit %s", r.ID, r.Name, r.Value, r.Limit)
		}
	}
	return g, most, got
}

// bar reports a ratio and fails if it is below floor, ceiling if it is above.
func bar(b *testing.B, name string, value, floor float64) {
	b.Helper()
	b.ReportMetric(value, name)
	if value < floor {
		b.Errorf("%s is %.2f, below %.2f", name, value, floor)
	}
}

func ceiling(b *testing.B, name string, value, limit float64) {
	b.Helper()
	b.ReportMetric(value, name)
	if value > limit {
		b.Errorf("%s is %.2f, above %.2f", name, value, limit)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
