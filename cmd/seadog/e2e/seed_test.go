package e2e_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/sqlite"
)

// past is what happened before a service was started: deployments and
// deliveries with times of their own, written through the store as the service
// would have.
type past struct {
	t     *testing.T
	data  string
	store *sqlite.Store
	now   time.Time
	owner deployer.Owner
	n     int
}

func newPast(t *testing.T, data string, begun time.Time) *past {
	t.Helper()
	p := &past{t: t, data: data, now: begun, owner: deployer.Owner{Node: "deploy-1", Boot: "then", PID: 4711, Started: 1}}
	var err error
	p.store, err = sqlite.Open(context.Background(), sqlite.Config{
		Path: filepath.Join(data, "seadog.db"), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return p.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *past) end() {
	p.t.Helper()
	if err := p.store.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// must fails the test at an error.
func (p *past) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// release is a push, and what became of it.
type release struct {
	project, message, by string
	status               deployer.Status
	outcome              deployer.Outcome
	cause                deployer.Cause
	reason               string
	fails                deployer.Step
	steps                map[deployer.Step]time.Duration
	log                  map[deployer.Step]string
}

// deploy delivers a push and plays the runner. It returns the deployment's id.
func (p *past) deploy(r release) int64 {
	p.t.Helper()
	ctx := context.Background()
	p.n++
	commit := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "commit %d", p.n)))
	d, err := p.store.Accept(ctx, deployer.Intake{
		Hook: r.project, Provider: deployer.GitHub, ExternalID: fmt.Sprintf("past-%d", p.n), Event: "push", ReceivedAt: p.now, Bytes: 7000 + p.n,
		Wanted: []deployer.Order{{
			Project: r.project, Trigger: deployer.TriggerPush, Ref: "refs/heads/main", Commit: commit, Message: r.message, By: r.by,
		}},
	})
	p.must(err)
	id := d.Decisions[0].Deployment
	p.now = p.now.Add(800 * time.Millisecond)
	_, err = p.store.Claim(ctx, p.owner, []string{r.project})
	p.must(err)
	for _, step := range deployer.Steps() {
		took, planned := r.steps[step]
		if !planned {
			continue
		}
		run := deployer.StepRun{Step: step, StartedAt: p.now}
		p.must(p.store.Report(ctx, id, p.owner, deployer.Progress{Step: &run, Marker: "past"}))
		p.print(id, step, r.log[step], took)
		p.now = p.now.Add(took)
		finished := p.now
		run.FinishedAt = &finished
		if step == r.fails {
			run.Error = r.reason
		}
		p.must(p.store.Report(ctx, id, p.owner, deployer.Progress{Step: &run}))
	}
	result := deployer.Result{Status: r.status, Outcome: r.outcome, Cause: r.cause, Reason: r.reason}
	if r.status == deployer.Succeeded {
		result.Images = []deployer.Image{{Service: "site", ID: "sha256:" + strings.Repeat(commit[20:28], 8), Tag: "localhost/seadog:" + r.project}}
	}
	_, err = p.store.Finish(ctx, id, p.owner, result)
	p.must(err)
	return id
}

// print writes what a step printed, spread over its time.
func (p *past) print(id int64, step deployer.Step, text string, took time.Duration) {
	p.t.Helper()
	if text == "" {
		text = "done"
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var out strings.Builder
	for i, line := range lines {
		at := p.now.Add(took * time.Duration(i) / time.Duration(len(lines)))
		stream := "o"
		if rest, ok := strings.CutPrefix(line, "! "); ok {
			stream, line = "e", rest
		}
		fmt.Fprintf(&out, "%d %s %s\n", at.UnixMilli(), stream, line)
	}
	dir := filepath.Join(p.data, "logs", fmt.Sprint(id))
	p.must(os.MkdirAll(dir, 0o750))
	p.must(os.WriteFile(filepath.Join(dir, string(step)), []byte(out.String()), 0o640))
}

// ignored records a delivery that deployed nothing.
func (p *past) ignored(project, ref, reason string) {
	p.t.Helper()
	p.n++
	_, err := p.store.Accept(context.Background(), deployer.Intake{
		Hook: project, Provider: deployer.GitHub, ExternalID: fmt.Sprintf("past-%d", p.n), Event: "push", ReceivedAt: p.now, Bytes: 6100,
		Ignored: []deployer.Decision{{Project: project, Ref: ref, Commit: fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "other %d", p.n))), Verdict: deployer.VerdictIgnored, Reason: reason}},
	})
	p.must(err)
}
