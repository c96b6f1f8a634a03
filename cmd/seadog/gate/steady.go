package gate

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
	"github.com/seadog/seadog/loadtest/observe"
)

// steadyName is the row of the service that is only asked how it is.
const steadyName = "steady"

// steadyPace is between two requests to it: far below what any service notices.
const steadyPace = 100 * time.Millisecond

// steady is a service beside all scenarios, which nobody disturbs: health
// checks, questions and webhooks come evenly for as long as the suite takes.
// None may be missed, and nothing in it may grow. A scenario of the quick profile
// is too short to say that.
type steady struct {
	service  *service
	observer *observe.Observer
	began    time.Time
	cancel   context.CancelFunc
	running  sync.WaitGroup

	asked, missed uint64
	first         error // that was missed
}

// startSteady starts the service and the questions.
func (g *gate) startSteady(ctx context.Context) (*steady, error) {
	w := wanted{kind: "serve", projects: 1, runners: 1, workers: 2, commits: 1, compose: "site", steps: "up: {deadline: 30s}", sabotage: g.Sabotage}
	s, err := g.start(ctx, w)
	if err != nil {
		return nil, err
	}
	st := &steady{service: s, began: time.Now()}
	st.observer, err = observe.New(observe.Config{
		Target: loadtest.Target{PID: s.child.PID(), Metrics: loadtest.Endpoint{URL: s.admin + "/metrics"}, Every: time.Second},
		Since:  func() time.Duration { return time.Since(st.began) }, Log: g.Log,
	})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	st.cancel = cancel
	st.running.Go(func() { _ = st.observer.Run(running) })
	st.running.Go(func() { st.ask(running) })
	return st, nil
}

// ask asks until ctx ends. A request that is under way then is finished.
func (st *steady) ask(ctx context.Context) {
	tick := time.NewTicker(steadyPace)
	defer tick.Stop()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		st.asked++
		if err := st.question(context.WithoutCancel(ctx), client, n); err != nil {
			st.missed++
			if st.first == nil {
				st.first = err
			}
		}
	}
}

// question sends request n: health checks on new connections for the most part,
// and in between lists and webhooks of a branch that is not deployed.
func (st *steady) question(ctx context.Context, client *http.Client, n int) error {
	s := st.service
	method, path, body, want := http.MethodGet, "/healthz", []byte(nil), http.StatusOK
	switch n % 5 {
	case 2:
		path = "/api/v1/deliveries?limit=20"
	case 4:
		method, path = http.MethodPost, "/hooks/"+s.projects[0]
		body = fmt.Appendf(nil, `{"ref":"refs/heads/topic","before":"%040x","after":"%040x","repository":{"full_name":"gate/steady"}}`, n, n+1)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Close = path == "/healthz"
	if method == http.MethodPost {
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write(body)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-GitHub-Event", "push")
		req.Header.Set("X-GitHub-Delivery", scene.RandomHex(16))
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	} else {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != want {
		return fmt.Errorf("%s answered %s", path, res.Status)
	}
	return nil
}

// grows are what may not grow for ever. Of memory it is what garbage collections
// leave: what a process has resident takes an hour to settle.
var grows = [...]loadtest.Metric{loadtest.MetricHeapLive, loadtest.MetricGoroutines, loadtest.MetricFDs}

// end stops the questions and judges the service, which is to be stopped by the caller.
func (st *steady) end(g *gate) *loadtest.Report {
	st.cancel()
	st.running.Wait()
	r := &loadtest.Report{
		Schema: loadtest.SchemaVersion,
		Identity: loadtest.Identity{
			Scenario: steadyName, Description: "A service that is asked ten times a second, for as long as the suite takes: never a miss, and nothing that grows.",
			Started: st.began, Elapsed: time.Since(st.began), Target: st.service.url, Version: g.Options.Version,
		},
		Generator: loadtest.GeneratorReport{OK: true},
	}
	for _, s := range st.observer.Series() {
		r.Server = append(r.Server, s)
		for _, metric := range grows {
			if s.Name == string(metric) {
				r.Leaks = append(r.Leaks, leak.Test(s.Points, leak.Options{Series: s.Name, Unit: s.Unit, WarmUp: g.Profile.WarmUp}))
			}
		}
	}
	r.Notes = []string{st.note(r.Leaks)}
	r.Reasons = st.reasons(r.Leaks)
	r.Verdict = loadtest.Decide(r.Reasons)
	r.Code = r.Verdict.Code()
	return r
}

// note says in a few words how it went.
func (st *steady) note(leaks []loadtest.LeakReport) string {
	text := fmt.Sprintf("%d of %d requests were missed", st.missed, st.asked)
	for _, l := range leaks {
		text += fmt.Sprintf("; %s: %s", l.Series, l.Verdict)
	}
	return text
}

func (st *steady) reasons(leaks []loadtest.LeakReport) (reasons []loadtest.Reason) {
	if st.missed > 0 {
		reasons = append(reasons, loadtest.Reason{Verdict: loadtest.SLO, Text: fmt.Sprintf("%d of %d requests were missed, the first because %v", st.missed, st.asked, st.first)})
	}
	if len(leaks) < len(grows) {
		reasons = append(reasons, loadtest.Reason{Verdict: loadtest.Inconclusive, Text: "the service could not be watched"})
	}
	for _, l := range leaks {
		if l.Verdict != loadtest.Pass {
			reasons = append(reasons, loadtest.Reason{Verdict: l.Verdict, Text: l.Series + ": " + l.Why})
		}
	}
	return reasons
}
