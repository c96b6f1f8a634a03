package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/storetest"
)

// series is what one scrape showed, as it was written: name, labels and value.
type series map[string]float64

// scrape reads /metrics of that base URL, and says how long that took.
func scrape(from string) (series, time.Duration, error) {
	began := time.Now()
	resp, err := http.Get(from + "/metrics")
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("status %d, error %w", resp.StatusCode, err)
	}
	took := time.Since(began)
	all := series{}
	for line := range strings.Lines(string(text)) {
		i := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || i < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		if err != nil {
			return nil, 0, fmt.Errorf("line %q: %w", line, err)
		}
		all[line[:i]] = value
	}
	return all, took, nil
}

// metrics scrapes the service.
func (s *service) metrics() series {
	s.t.Helper()
	all, _, err := scrape(s.admin)
	if err != nil {
		s.t.Fatalf("scrape: %v", err)
	}
	return all
}

// shows waits until the service shows a value, and returns what else it showed then.
func (s *service) shows(name string, value float64) series {
	s.t.Helper()
	var all series
	s.eventually(30*time.Second, fmt.Sprintf("%s is %v", name, value), func() bool {
		all = s.metrics()
		return all[name] == value
	})
	return all
}

// scrapeBar is how long a scrape may take, whatever hangs.
const scrapeBar = 50 * time.Millisecond

// scrapesQuickly requires that of most of a few scrapes: a machine that is busy
// with other tests may hold one of them up.
func (s *service) scrapesQuickly(while string) {
	s.t.Helper()
	var took []time.Duration
	for range 15 {
		_, d, err := scrape(s.admin)
		if err != nil {
			s.t.Fatalf("scrape while %s: %v", while, err)
		}
		took = append(took, d)
	}
	slices.Sort(took)
	s.t.Logf("while %s: half of the scrapes took %s, the longest %s", while, took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > scrapeBar {
		s.t.Errorf("while %s: half of the scrapes took more than %s: %v", while, scrapeBar, took)
	}
}

// valve passes the connections of a Unix socket on to another one, until it is shut.
type valve struct {
	dir string

	mu   sync.Mutex
	turn *sync.Cond
	shut bool
}

func newValve(t *testing.T, to string) *valve {
	t.Helper()
	v := &valve{dir: t.TempDir()}
	v.turn = sync.NewCond(&v.mu)
	ln, err := net.Listen("unix", filepath.Join(v.dir, filepath.Base(to)))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			from, err := ln.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("unix", to)
			if err != nil {
				_ = from.Close()
				continue
			}
			wg.Go(func() { v.pass(from, back) })
			wg.Go(func() { v.pass(back, from) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		v.set(false)
		wg.Wait()
	})
	return v
}

func (v *valve) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		v.mu.Lock()
		for v.shut {
			v.turn.Wait()
		}
		v.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// set shuts the valve: who is connected hears nothing more, and is not told so.
func (v *valve) set(shut bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut = shut
	v.turn.Broadcast()
}

// deaf listens and says nothing.
func deaf(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "engine.sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	return socket
}

func TestAScrapeWaitsForNobody(t *testing.T) {
	cluster := storetest.StartCluster(t)
	dsn := cluster.Database(t)
	v := newValve(t, cluster.Socket())
	dsn = strings.ReplaceAll(dsn, url.QueryEscape(cluster.SocketDir()), url.QueryEscape(v.dir))
	s := newService(t, map[string]string{"site": "repository: /nowhere"},
		fmt.Sprintf("store: {driver: postgres, dsn: %q}\ndocker: {host: \"unix://%s\"}", dsn, deaf(t)))
	s.start()
	s.shows("seadog_store_up", 1)
	s.shows(`seadog_watchdog_workers_accepting{pool="http"}`, 2)
	s.shows(`seadog_watchdog_workers{pool="http",state="spare"}`, 1)
	s.scrapesQuickly("the engine is silent")

	for _, pid := range s.workers("worker http") {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	s.scrapesQuickly("all HTTP workers are frozen")
	all := s.shows(`seadog_watchdog_kills_total{level="hard",pool="http",reason="stopped"}`, 3)
	if all[`seadog_watchdog_incidents_total{pool="http",verdict="stopped"}`] != 3 {
		t.Errorf("three workers were killed for this, and %v incidents", all[`seadog_watchdog_incidents_total{pool="http",verdict="stopped"}`])
	}

	v.set(true)
	all = s.shows("seadog_store_up", 0)
	if _, shown := all["seadog_queue_depth"]; !shown || all["seadog_store_tally_age_seconds"] < 1 {
		t.Errorf("queue shown: %t, age of the numbers %v: want the last ones known, and their age", shown, all["seadog_store_tally_age_seconds"])
	}
	s.scrapesQuickly("the database is silent")
	v.set(false)
	s.shows("seadog_store_up", 1)
	s.shows("seadog_engine_up", 0)
}

// TestWhatADeploymentCountsSurvivesEverybodyWhoCounted: the runner, the HTTP
// workers and the admin process are killed.
func TestWhatADeploymentCountsSurvivesEverybodyWhoCounted(t *testing.T) {
	needEngine(t)
	f := newFake(t, "site/build=fail")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	if d := s.over(s.mustPush("site", "1", noCommit, r.head), 20*time.Second); d.Status != deployer.Failed {
		t.Fatalf("ended as %s: %s", d.Status, d.Reason)
	}
	if code, _, err := s.deliver("/hooks/site", "push", "2", []byte("{}")); err != nil || code != http.StatusBadRequest {
		t.Fatalf("a push that is none got %d, %v", code, err)
	}
	resp, err := http.Post(s.url+"/hooks/site", "application/json", strings.NewReader("{}"))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("a push without a signature got %v, %v", resp, err)
	}
	resp.Body.Close()
	want := countedOfOne()
	counted := func() bool {
		all, _, err := scrape(s.admin)
		if err != nil {
			return false // it was killed just now
		}
		for name, value := range want {
			if got, shown := all[name]; !shown || got != value {
				return false
			}
		}
		return all[`seadog_store_call_duration_seconds_count{call="accept"}`] >= 1
	}
	if !await(20*time.Second, counted) {
		t.Fatalf("not everything was counted: %v", pick(s.metrics(), want))
	}
	for _, kind := range []string{"worker http", "worker runner", "worker admin"} {
		old := s.workers(kind)
		for _, pid := range old {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		s.eventually(20*time.Second, kind+" is replaced", func() bool {
			now := s.workers(kind)
			return len(now) == len(old) && !slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(old, pid) })
		})
	}
	s.eventually(20*time.Second, "the service is ready", s.ready)
	if !await(20*time.Second, counted) {
		t.Errorf("after the death of everybody who counted: %v", pick(s.metrics(), want))
	}
	s.stop()
}

// countedOfOne is what the service has counted then.
func countedOfOne() series {
	return series{
		`seadog_deployments_total{status="failed"}`:                                     1,
		`seadog_deployment_duration_seconds_count{status="failed"}`:                     1,
		`seadog_step_duration_seconds_count{result="failed",step="build"}`:              1,
		`seadog_step_duration_seconds_count{result="succeeded",step="fetch"}`:           1,
		`seadog_step_duration_seconds_count{result="failed",step="fetch"}`:              0,
		`seadog_queue_wait_seconds_count`:                                               1,
		`seadog_deliveries_total{decision="queued",provider="github"}`:                  1,
		`seadog_webhook_authentication_failures_total{provider="github"}`:               1,
		`seadog_http_requests_total{code="2xx",route="/hooks/{hook}"}`:                  1,
		`seadog_http_requests_total{code="4xx",route="/hooks/{hook}"}`:                  2,
		`seadog_http_request_duration_seconds_count{pool="http",route="/hooks/{hook}"}`: 3,
		`seadog_missed_webhooks_total`:                                                  0,
	}
}

// pick returns those series that are in like.
func pick(all, like series) series {
	some := series{}
	for name := range like {
		if value, shown := all[name]; shown {
			some[name] = value
		}
	}
	return some
}
