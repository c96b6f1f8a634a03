package ledger_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/ledger"
)

// samples are what was sent, and how it was answered.
func samples() []*loadtest.Sample {
	dropped := answered(9, 0)
	dropped.Sent, dropped.Outcome = 0, loadtest.Dropped
	return []*loadtest.Sample{
		answered(0, 202), answered(1, 202), answered(2, 0), answered(3, 504), answered(4, 404),
		spoiled(5, 401), answered(6, 0), again(7, 6, 202), again(8, 1, 200), dropped,
		{Traffic: 0, Seq: 3, Status: 200, Sent: 1},                 // health: no id
		{Traffic: 3, Seq: 0, Status: 202, Sent: 1},                 // pushes
		{Traffic: 99, Seq: 0, Status: 202, Sent: 1, Done: 1 << 40}, // nobody's
	}
}

// balanced is a service that did all of it right.
func balanced() *service {
	s := &service{}
	s.push("somebody else's", queued(1))
	s.push(hook(0), queued(2))
	s.push(hook(1), verdict("coalesced", 2))
	s.push(hook(2), queued(3))
	s.push(hook(6), decision{Verdict: "ignored"})
	s.push(hook(1), verdict("duplicate", 2))
	s.push(hook(6), verdict("duplicate", 0))
	s.push(id("r1", "pushes", 0), queued(4), decision{Project: "api", Ref: "refs/heads/main", Verdict: "queued", Deployment: 5})
	for n, status := range []string{"succeeded", "superseded", "failed", "succeeded", "succeeded"} {
		s.deployments = append(s.deployments, job(int64(n+1), status))
	}
	s.deployments[4].Project = "api"
	return s
}

func TestEveryAcceptedDeliveryIsFollowed(t *testing.T) {
	t.Parallel()
	// 0, 1, 6 and the push were accepted; 4 and 5 refused; 2 and 3 are unknown.
	fine := loadtest.LedgerReport{Mode: "deliveries", Sent: 8, Accepted: 4, Rejected: 2, Unknown: 2, Found: 5, UnknownOK: 1}
	for name, c := range map[string]struct {
		change func(*service)
		report func(*loadtest.LedgerReport)
		says   []string
	}{
		"all is well": {},
		"one delivery was dropped": {
			func(s *service) { s.deliveries = slices.Delete(s.deliveries, 1, 2) },
			func(r *loadtest.LedgerReport) { r.Lost, r.Found = 1, 4 },
			[]string{hook(0) + " (webhooks 0): lost: it was accepted"},
		},
		"a deployment vanished": {
			func(s *service) { s.deployments = slices.Delete(s.deployments, 3, 4) },
			func(r *loadtest.LedgerReport) { r.Lost = 1 },
			[]string{id("r1", "pushes", 0) + " (pushes 0): lost: deployment 4"},
		},
		"a job was doubled": {
			func(s *service) { s.deliveries[5].Decisions[0] = queued(4) },
			func(r *loadtest.LedgerReport) { r.Duplicate = 1 },
			[]string{hook(1) + " (webhooks 1): two jobs: deployments 2 and 4"},
		},
		"a job was doubled in one delivery": {
			func(s *service) {
				s.deliveries[3].Decisions = append(s.deliveries[3].Decisions, queued(4))
				s.deployments[2] = job(3, "succeeded")
			},
			func(r *loadtest.LedgerReport) { r.Duplicate = 1 },
			[]string{hook(2) + " (webhooks 2): two jobs: deployments 3 and 4"},
		},
		"the first job had failed before the second was made": {
			func(s *service) { s.push(hook(2), queued(4)) },
			nil, nil,
		},
		"the first job failed only after the second was made": {
			func(s *service) {
				s.push(hook(2), queued(4))
				late := s.deployments[3].CreatedAt.Add(time.Minute)
				s.deployments[2].FinishedAt = &late
			},
			func(r *loadtest.LedgerReport) { r.Duplicate = 1 },
			[]string{hook(2) + " (webhooks 2): two jobs: deployments 3 and 4"},
		},
		"the second time it joined what waited": {
			func(s *service) { s.push(hook(0), verdict("coalesced", 4)) },
			nil, nil,
		},
		"a refused one was processed": {
			func(s *service) { s.push(hook(5), queued(4)) },
			func(r *loadtest.LedgerReport) { r.Refused, r.Found = 1, 6 },
			[]string{hook(5) + " (webhooks 5): refused, and processed"},
		},
		"an unanswered one is there": {
			func(s *service) { s.push(hook(3), queued(4)) },
			func(r *loadtest.LedgerReport) { r.UnknownOK, r.Found = 2, 6 },
			nil,
		},
		"work goes on": {
			func(s *service) { s.deployments[1].Status = "running" },
			func(r *loadtest.LedgerReport) { r.Unended = 2 },
			[]string{hook(0) + " (webhooks 0): deployment 2 has not ended", hook(1) + " (webhooks 1): deployment 2 has not ended"},
		},
		"interrupted work runs again": {
			func(s *service) {
				s.deployments[1].Status = "interrupted"
				s.deployments = append(s.deployments, deployment{ID: 7, Project: "web", Status: "queued", Trigger: "retry", Origin: 2})
			},
			func(r *loadtest.LedgerReport) { r.Unended = 2 },
			[]string{hook(0), hook(1)},
		},
		"somebody else's work goes on": {
			func(s *service) {
				s.deployments = append(s.deployments, deployment{ID: 7, Project: "web", Status: "queued", Trigger: "push"})
			},
			nil, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := balanced()
			want := fine
			if c.change != nil {
				c.change(s)
			}
			if c.report != nil {
				c.report(&want)
			}
			got := balance(t, s, samples())
			if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(loadtest.LedgerReport{}, "Examples")); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if len(got.Examples) != len(c.says) {
				t.Fatalf("examples: %q, want %q", got.Examples, c.says)
			}
			for i, says := range c.says {
				if !strings.HasPrefix(got.Examples[i], says) {
					t.Errorf("example %d is %q, want %q", i, got.Examples[i], says)
				}
			}
		})
	}
}

// balance keeps the books of a run that begins when s knows nothing.
func balance(t *testing.T, s *service, sent []*loadtest.Sample) loadtest.LedgerReport {
	t.Helper()
	known := s.deliveries
	s.deliveries = nil
	l := open(t, ledger.Config{Scenario: scenario(serve(t, s)+"/api/v1/deliveries", ""), Patience: -1})
	for _, sample := range sent {
		l.Take(sample)
	}
	s.mu.Lock()
	s.deliveries = known
	s.mu.Unlock()
	return l.Close(t.Context())
}

func TestDeploymentsThatWereDeletedForAgeAreNotLost(t *testing.T) {
	t.Parallel()
	s := &service{}
	var sent []*loadtest.Sample
	for n := range int64(40) {
		s.push(hook(uint64(n)), queued(n+1))
		sent = append(sent, answered(uint64(n), 202))
		if n == 2 || n >= 20 && n != 30 { // the last healthy one, and the newest; 31 vanished
			s.deployments = append(s.deployments, job(n+1, "succeeded"))
		}
	}
	got := balance(t, s, sent)
	if got.Lost != 1 || got.Error != "" || len(got.Examples) != 1 || !strings.HasPrefix(got.Examples[0], hook(30)) {
		t.Errorf("got %+v", got)
	}
}

func TestASecondJobWhoseFirstIsForgottenIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := &service{}
	var sent []*loadtest.Sample
	for n := range int64(40) {
		s.push(hook(uint64(n)), queued(n+1))
		sent = append(sent, answered(uint64(n), 202))
		if n >= 20 {
			s.deployments = append(s.deployments, job(n+1, "succeeded"))
		}
	}
	s.push(hook(3), queued(40))
	if got := balance(t, s, sent); got.Duplicate != 0 || got.Lost != 0 || !strings.Contains(got.Error, "1 ids have a second job") {
		t.Errorf("got %+v", got)
	}
}

func TestClosingWaitsForWorkToEnd(t *testing.T) {
	t.Parallel()
	s := balanced()
	s.deployments[1] = job(2, "queued")
	s.deployments[3] = job(4, "running")
	s.polled = func(s *service) {
		if s.deployments[3].Status == "running" {
			s.deployments[3] = job(4, "failed")
		} else {
			s.deployments[1] = job(2, "succeeded")
		}
	}
	l := open(t, ledger.Config{Scenario: scenario(serve(t, s)+"/api/v1/deliveries", "seadog"), Patience: time.Minute})
	s.deliveries = append(s.deliveries, delivery{ID: 100, ExternalID: hook(0), Decisions: []decision{queued(2)}},
		delivery{ID: 101, ExternalID: hook(1), Decisions: []decision{queued(4)}})
	l.Take(answered(0, 202))
	l.Take(answered(1, 202))
	if got := l.Close(t.Context()); got.Unended != 0 || got.Found != 2 || got.Error != "" {
		t.Errorf("got %+v", got)
	}
}

func TestWhatWasThereBeforeTheRunIsNotRead(t *testing.T) {
	t.Parallel()
	s := &service{}
	for range 5000 {
		s.push("before", queued(1))
	}
	l := open(t, ledger.Config{Scenario: scenario(serve(t, s)+"/api/v1/deliveries?project=web", ""), Patience: -1})
	for n := range uint64(600) {
		l.Take(answered(n, 202))
		s.push(hook(n), queued(2))
	}
	s.deployments = []deployment{job(1, "succeeded"), job(2, "succeeded")}
	got := l.Close(t.Context())
	if got.Lost != 0 || got.Found != 600 || got.Error != "" {
		t.Errorf("got %+v", got)
	}
	if s.calls != 4 { // the newest, two pages of deliveries, one of deployments
		t.Errorf("%d calls", s.calls)
	}
	if s.projects[""] || !s.projects["web"] {
		t.Errorf("asked for projects %v", s.projects)
	}
}

func TestAServiceThatRecoversIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := balanced()
	l := open(t, ledger.Config{Scenario: scenario(serve(t, s)+"/api/v1/deliveries", ""), Patience: -1})
	l.Take(answered(0, 202))
	s.deliveries = append(s.deliveries, delivery{ID: 100, ExternalID: hook(0), Decisions: []decision{queued(2)}})
	s.broken = 2
	if got := l.Close(t.Context()); got.Error != "" || got.Found != 1 || got.Lost != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestNothingIsLostOnlyBecauseTheListCannotBeRead(t *testing.T) {
	t.Parallel()
	s := balanced()
	good := serve(t, s)
	for name, c := range map[string]struct{ url, says string }{
		"nobody listens": {"http://user:hush@127.0.0.1:1/api/v1/deliveries", "ask /api/v1/deliveries"},
		"another path":   {good + "/api/v2/deliveries", "answered 404"},
		"no token":       {strings.Replace(good, "http://", "http://user:hush@", 1) + "/api/v1/deliveries", "token that may read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := scenario(c.url, "")
			if name == "no token" {
				sc.Target.Ledger.Header = nil
			}
			l, err := ledger.New(ledger.Config{Scenario: sc, Run: "r1", ID: id})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // one attempt more is enough
			defer cancel()
			if err := l.Open(ctx); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("open: %v, want %q", err, c.says)
			}
			l.Take(answered(0, 202))
			ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			got := l.Close(ctx)
			if !strings.Contains(got.Error, c.says) || got.Lost != 0 || got.Accepted != 1 || strings.Contains(got.Error, "hush") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestSpoiledRequestsMustNotBeFoundWhateverWasAnswered(t *testing.T) {
	t.Parallel()
	s := &service{}
	var sent []*loadtest.Sample
	for n, status := range []int{202, 0, 504, 401} {
		s.push(hook(uint64(n)), queued(1))
		sent = append(sent, spoiled(uint64(n), status))
	}
	s.deployments = []deployment{job(1, "succeeded")}
	if got := balance(t, s, sent); got.Refused != 4 || got.Rejected != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestWorkThatDoesNotEndIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	s := &service{polled: func(s *service) { s.deployments[0] = job(1, "succeeded") }}
	s.deployments = []deployment{job(1, "running"), job(2, "queued")}
	l := open(t, ledger.Config{Scenario: scenario(serve(t, s)+"/api/v1/deliveries", ""), Patience: 3 * time.Second})
	for n := range uint64(2) {
		s.push(hook(n), queued(int64(n+1)))
		l.Take(answered(n, 202))
	}
	if got := l.Close(t.Context()); got.Unended != 1 || got.Lost != 0 || !strings.HasPrefix(got.Examples[0], hook(1)) {
		t.Errorf("got %+v", got)
	}
}
