package web_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/web"
)

// evil is what somebody writes who wants a page to run it, in all places where
// others may write.
const evil = `<script>alert("sentinel")</script><img src=x onerror=alert(1)>'"&` + "\u202e\x1b[31m"

// sick is a scoreboard on which something is stuck.
type sick struct{}

func (sick) Look() (web.Scoreboard, error) {
	left, passed := 20*time.Second, -time.Second
	busy := []web.Slot{
		{Number: 1, Phase: "running", Request: "r-1", Route: "/api/v1/status", Client: evil, Age: 300 * time.Millisecond, SoftLeft: &left},
		{Number: 2, Phase: "killed", Request: "r-2", Route: "/readyz", Client: "10.0.0.1:1", Age: 31 * time.Second, SoftLeft: &passed, Abandoned: time.Second},
		{Number: 3, Phase: "answering", Request: "r-3", Route: "/live", Stream: true, Age: time.Hour, Silent: time.Second, SoftLeft: &left},
	}
	return web.Scoreboard{Pools: []web.Pool{
		{Name: "http", Places: 2, Accepting: 1, Backlog: 3, BacklogMax: 4096, Requests: 1234, SoftKills: 5, Kills: 1, Workers: []web.Worker{
			{Name: "http/0", PID: 7, State: "ready", Accepting: true, Age: time.Hour, Heartbeat: 40 * time.Millisecond, Busy: busy},
			{Name: "http/1", PID: 8, State: "quarantined", Age: time.Hour, Heartbeat: 9 * time.Second, Dumping: time.Second, Abandoned: 1},
		}},
		{Name: "runner", Places: 1, Accepting: 1, Workers: []web.Worker{{Name: "runner/0", State: "ready", Accepting: true}}},
	}}, nil
}

var noticed = time.Now().Add(-time.Minute)

// cases are incidents of all kinds.
type cases struct{}

func (cases) List(_ context.Context, pool string, _ int) ([]web.Incident, error) {
	all := []web.Incident{incident(), {ID: "0warning", Time: noticed.Add(-time.Hour), Reason: "stalled", Verdict: "a lock stalls", Worker: "http/1", Pool: "http"}}
	if pool == "runner" {
		return nil, nil
	}
	return all, nil
}

func (cases) Load(_ context.Context, name string) (web.Incident, error) {
	switch name {
	case "0dead", "r-2":
		return incident(), nil
	}
	return web.Incident{}, deployer.Errorf(deployer.CodeNotFound, "there is no such incident")
}

func (cases) Dump(context.Context, string) (web.Dump, error) {
	return web.Dump{
		Verdict: "it looks like a deadlock " + evil, Total: 12,
		Locks: []web.DumpLock{{Name: "mutex 0xc000123", Count: 3, Where: []string{"shop.(*Cart).Add (cart.go:88) " + evil}, Holders: []string{"goroutine 9"}}},
		Groups: []web.DumpGroup{
			{State: "sync.Mutex.Lock", Where: "shop.(*Cart).Add (cart.go:88)", Creator: "main.main", Count: 3, Minutes: 2, Frames: []string{evil}, Requests: []string{"r-2"}},
			{State: "GC worker", Where: "runtime.gcBgMarkWorker", Runtime: true, Count: 2},
		},
	}, nil
}

func (cases) Raw(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("goroutine 1 [running]:\n" + evil)), nil
}

func incident() web.Incident {
	return web.Incident{
		ID: "0dead", Time: noticed, Killing: true, Reason: "wedged", Verdict: "http/0 was killed " + evil, Worker: "http/0", Pool: "http",
		PID: 7, Incarnation: 3, Stuck: []web.Victim{{Request: "r-2", Route: "/readyz", Client: evil, Age: time.Second, Outcome: "504 from the worker"}},
		Lost:     []web.Victim{{Slot: 4, Route: "/healthz", Outcome: "closed"}},
		Timeline: []web.Moment{{After: -time.Second, What: evil}, {After: 2 * time.Second, What: "killed"}},
		Locks:    []web.HeldLock{{Name: "cart", Holder: "request r-2", Proven: true, Waiters: []string{evil}}},
		Stacks:   []web.Stack{{Goroutine: 3, Request: "r-2", Route: "/readyz", State: "sleep", Frames: []string{"time.Sleep", evil}, Own: 1}},
		Threads:  []web.Thread{{TID: 8, State: "S", Where: "in futex_do_wait"}}, Process: web.Process{RSS: 44 << 20, Goroutines: 12},
		DumpBytes: 1000,
	}
}

// runs are load reports.
type runs struct{}

func (runs) List(context.Context, int) ([]web.Report, error) {
	return []web.Report{report("2"), report("1")}, nil
}

func (runs) Load(_ context.Context, id string) (web.Report, error) {
	if id != "1" && id != "2" {
		return web.Report{}, deployer.Errorf(deployer.CodeNotFound, "there is no such report")
	}
	return report(id), nil
}

func (runs) HTML(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("<!doctype html><title>report</title><script>1</script>")), nil
}

func report(id string) web.Report {
	r := web.Report{
		ID: id, Name: "webhook-storm", Time: time.Now().Add(-24 * time.Hour), Seconds: 61, Verdict: "PASS", HasHTML: true,
		Reasons: []string{"all thresholds held"}, Rows: []web.Threshold{{Text: "response p99 < 200ms", Value: "161ms", Limit: "200ms", OK: true}},
	}
	if id == "2" {
		r.Time, r.Verdict, r.ExitCode, r.Reasons = time.Now().Add(-time.Hour), "FAIL: SLO", 10, []string{"response p99 was 240ms " + evil, "2 deliveries were lost"}
		r.Rows = []web.Threshold{{Text: "response p99 < 200ms", Value: "240ms", Limit: "200ms"}, {Text: "lost == 0", Value: "2", Limit: "0"}}
	}
	return r
}

// everything is a service on which there is something to see everywhere.
func everything(t testing.TB, projects int) (*service, map[string]string) {
	s := start(t, setting{projects: projects, web: func(c *web.Config) {
		c.Workers, c.Incidents, c.Reports = sick{}, cases{}, runs{}
		c.Settings = func() ([]byte, error) {
			return []byte("listen: [\"127.0.0.1:1\"]\n# " + evil + "\n" + strings.Repeat("    key: value\n", 10_000)), nil
		}
	}})
	first := s.deployed("web", "first "+evil, deployer.Succeeded)
	failed := s.deployed("docs", "second "+evil, deployer.Failed)
	for i := range projects {
		s.deployed(fmt.Sprintf("project-%03d", i), "Fix the width of the basket on small phones and elsewhere", deployer.Succeeded)
	}
	s.print(first, deployer.StepBuild, "plain", evil)
	running := s.push("web", "third "+evil)
	s.begin("web")
	queued := s.push("web", "fourth "+evil)
	locked := deployer.Lock{Project: "docs", Owner: evil, Reason: evil, CreatedAt: time.Now()}
	s.must(s.store.Lock(context.Background(), locked))
	s.push("docs", "fifth")
	delivery, err := s.store.Accept(context.Background(), deployer.Intake{
		Hook: "web", Provider: deployer.GitHub, ExternalID: evil, Event: "push", ReceivedAt: time.Now(), Bytes: 1,
		Ignored: []deployer.Decision{{Project: "web", Ref: "refs/heads/" + evil, Commit: commitOf(1), Verdict: deployer.VerdictIgnored, Reason: evil}},
	})
	s.must(err)
	return s, map[string]string{
		"overview": "/", "filtered": "/?q=doc", "project": "/projects/web", "locked": "/projects/docs", "deployments": "/deployments",
		"some":    "/deployments?project=web&status=active",
		"healthy": fmt.Sprintf("/deployments/%d", first), "failed": fmt.Sprintf("/deployments/%d", failed), "running": fmt.Sprintf("/deployments/%d", running),
		"queued": fmt.Sprintf("/deployments/%d", queued), "search": fmt.Sprintf("/deployments/%d?find=alert", first),
		"deliveries": "/deliveries", "delivery": fmt.Sprintf("/deliveries/%d", delivery.ID), "workers": "/workers",
		"incidents": "/incidents", "incident": "/incidents/0dead", "reports": "/reports", "report": "/reports/2", "comparison": "/reports?a=1&b=2",
		"settings": "/settings?hook=web",
	}
}
