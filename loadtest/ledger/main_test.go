package ledger_test

import (
	"cmp"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(run, traffic string, seq uint64) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%s/%s/%d", run, traffic, seq)))[:32]
}

// hook is the id of the n-th webhook.
func hook(n uint64) string { return id("r1", "webhooks", n) }

// scenario has a traffic without ids before and after the one with them.
func scenario(url, kind string) *loadtest.Scenario {
	header := http.Header{"Authorization": {"Bearer t0ken"}}
	with := loadtest.Request{ID: loadtest.ID{Header: "X-Delivery"}}
	return &loadtest.Scenario{
		Target:  loadtest.Target{Ledger: loadtest.Ledger{URL: url, Kind: kind, Header: header}},
		Traffic: []loadtest.Traffic{{Name: "health"}, {Name: "webhooks", Request: with}, {Name: "pages"}, {Name: "pushes", Request: with}},
	}
}

func open(t *testing.T, c ledger.Config) *ledger.Ledger {
	t.Helper()
	c.Run, c.ID = "r1", id
	l, err := ledger.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// answered is a webhook that was answered with status; 0 is a time-out.
func answered(seq uint64, status int) *loadtest.Sample {
	s := &loadtest.Sample{Traffic: 1, Seq: seq, Of: seq, Sent: 1, Done: 2, Status: status}
	if status == 0 {
		s.Outcome = loadtest.TimedOut
	}
	return s
}

func again(seq, of uint64, status int) *loadtest.Sample {
	s := answered(seq, status)
	s.Variant, s.Of = loadtest.Repeated, of
	return s
}

func spoiled(seq uint64, status int) *loadtest.Sample {
	s := answered(seq, status)
	s.Variant = loadtest.Spoiled
	return s
}

type decision struct {
	Project    string `json:"project"`
	Ref        string `json:"ref"`
	Verdict    string `json:"verdict"`
	Deployment int64  `json:"deployment,omitempty"`
}

type delivery struct {
	ID         int64      `json:"id"`
	ExternalID string     `json:"external_id"`
	Decisions  []decision `json:"decisions"`
}

type deployment struct {
	ID         int64      `json:"id"`
	Project    string     `json:"project"`
	Status     string     `json:"status"`
	Trigger    string     `json:"trigger"`
	Origin     int64      `json:"origin,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// service is a seadog with what it knows written down by a test.
type service struct {
	mu          sync.Mutex
	deliveries  []delivery // ascending
	deployments []deployment
	calls       int
	broken      int             // answers that are 503 before it recovers
	polled      func(*service)  // called at each look for open deployments
	projects    map[string]bool // that were asked for
}

// push records a delivery as decided.
func (s *service) push(external string, decisions ...decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries = append(s.deliveries, delivery{ID: int64(len(s.deliveries) + 1), ExternalID: external, Decisions: decisions})
}

func queued(n int64) decision {
	return decision{Project: "web", Ref: "refs/heads/main", Verdict: "queued", Deployment: n}
}

func verdict(verdict string, n int64) decision {
	d := queued(n)
	d.Verdict = verdict
	return d
}

// epoch is when deployment 0 was made; each takes a minute, and one is made every minute.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func job(n int64, status string) deployment {
	d := deployment{ID: n, Project: "web", Status: status, Trigger: "push", CreatedAt: epoch.Add(time.Duration(n) * time.Minute)}
	if status != "queued" && status != "running" {
		at := d.CreatedAt.Add(time.Minute)
		d.FinishedAt = &at
	}
	return d
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	q := r.URL.Query()
	if s.projects == nil {
		s.projects = map[string]bool{}
	}
	s.projects[q.Get("project")] = true
	limit, _ := strconv.Atoi(q.Get("limit"))
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	switch {
	case r.Header.Get("Authorization") != "Bearer t0ken":
		w.WriteHeader(http.StatusUnauthorized)
	case s.broken > 0:
		s.broken--
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/api/v1/deliveries":
		rows, next := cut(s.deliveries, func(d delivery) int64 { return d.ID }, before, limit)
		_ = json.NewEncoder(w).Encode(map[string]any{"deliveries": rows, "next": next})
	case r.URL.Path == "/api/v1/deployments":
		all := slices.Clone(s.deployments)
		if statuses := q.Get("status"); statuses != "" {
			all = slices.DeleteFunc(all, func(d deployment) bool { return !slices.Contains(strings.Split(statuses, ","), d.Status) })
			if s.polled != nil {
				defer s.polled(s)
			}
		}
		rows, next := cut(all, func(d deployment) int64 { return d.ID }, before, limit)
		_ = json.NewEncoder(w).Encode(map[string]any{"deployments": rows, "next": next})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// cut returns a page, newest first.
func cut[T any](rows []T, id func(T) int64, before int64, limit int) (page []T, next int64) {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b T) int { return cmp.Compare(id(b), id(a)) })
	page = []T{}
	for _, row := range rows {
		if before > 0 && id(row) >= before {
			continue
		}
		if page = append(page, row); len(page) == limit {
			return page, id(row)
		}
	}
	return page, 0
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
