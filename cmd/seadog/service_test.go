package main

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/loadtest/webhooks"
)

// httpPlane is the real HTTP plane on a real store, without the processes around it.
type httpPlane struct {
	address string
	store   deployer.Store
	book    transcript.Book
}

func startHTTP(t *testing.T) *httpPlane {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "seadog.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	p := &httpPlane{store: store, book: transcript.Book{Dir: filepath.Join(dir, "logs")}}
	tailer := transcript.NewTailer(p.book)
	server, err := httpd.New(httpd.Config{
		Hooks: []deployer.Hook{{
			Name: "shop", Provider: deployer.GitHub, Projects: []string{"shop"}, Secrets: []deployer.Secret{deployer.NewSecret(peerSecret)},
		}},
		Projects: []deployer.Project{{Name: "shop", Hook: "shop", Select: deployer.Selector{Branches: []string{"main"}}}},
		Tokens:   []httpd.Token{{Name: "ops", Scope: deployer.ScopeDeploy, SHA256: sha256.Sum256([]byte("t0ken"))}},
		Store:    store, Book: p.book, Tailer: tailer, Version: "1.2.3", Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- tailer.Run(ctx) }()
	go func() { ended <- server.Run(ctx, []net.Listener{listener}) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// expect runs a command and wants its exit code and a part of its output.
func (p *httpPlane) expect(t *testing.T, line string, code int, part string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out := command(ctx, "http://"+p.address, strings.Fields(line)...)
	if out.code != code || !strings.Contains(out.stdout+out.stderr, part) {
		t.Errorf("%s: exit code %d, want %d and %q in:\n%s%s", line, out.code, code, part, out.stdout, out.stderr)
	}
}

// TestTheCommandsSpeakWithTheRealService walks through a day with the real
// HTTP plane and store; the test itself plays the runner.
func TestTheCommandsSpeakWithTheRealService(t *testing.T) {
	t.Parallel()
	p := startHTTP(t)
	p.expect(t, "projects", 0, "never deployed")
	p.expect(t, "status", 0, "seadog 1.2.3: 0 running, 0 queued")
	p.expect(t, "status shop", 0, "hook        shop (github)")
	p.expect(t, "logs", exitNotFound, "nothing was deployed yet")
	p.expect(t, "status nope", exitNotFound, "no such project")

	sender, err := webhooks.New(webhooks.Config{Address: p.address, Hooks: []string{"shop"}, Secret: peerSecret, Distinct: 1})
	if err != nil {
		t.Fatal(err)
	}
	if sent, err := sender.Burst(t.Context(), 1); err != nil || sent.Status[202] != 1 {
		t.Fatalf("push: %s, %v", sent, err)
	}
	p.expect(t, "deliveries", 0, "queued as deployment 1")
	p.expect(t, "deliveries 1", 0, "decision     shop: queued as deployment 1")
	p.expect(t, "deliveries --verdict ignored", 0, "No deliveries.")
	p.expect(t, "deployments --status queued", 0, "main")

	p.expect(t, "lock shop --reason fair --for 1h", 0, "shop is locked by ops (fair) until ")
	p.expect(t, "deploy shop", 0, "deployment 2 of shop waits: locked by ops (fair)")
	p.expect(t, "deploy shop --override", exitDenied, "admin")
	p.expect(t, "deployments 1", 0, "superseded by  deployment 2")
	p.expect(t, "logs -f 1", exitFailed, "deployment 1 of shop was superseded by deployment 2 before it started")
	p.expect(t, "unlock shop", 0, "shop is unlocked")
	p.expect(t, "unlock shop", exitNotFound, "")

	var runner sync.WaitGroup
	runner.Go(func() { runDeployment(t, p, 2) })
	p.expect(t, "logs shop --follow", 0, "deployment 2 of shop succeeded")
	runner.Wait()
	p.expect(t, "logs shop", 0, "build    | hello from the build")
	p.expect(t, "logs 2 --json", 0, `"stream":"stdout","line":"hello from the build"`)
	p.expect(t, "cancel 2", exitConflict, "")
	p.expect(t, "redeploy shop 2", 0, "deployment 3 of shop queued")
	p.expect(t, "cancel 3", 0, "deployment 3 of shop was canceled by ops")
	p.expect(t, "rollback shop", exitConflict, "no earlier healthy deployment")
	p.expect(t, "__complete cancel ", 0, ":4\n")
}

// runDeployment does to deployment id what a runner would.
func runDeployment(t *testing.T, p *httpPlane, id int64) {
	ctx, owner := t.Context(), deployer.Owner{Node: "n", Boot: "b", PID: 1, Started: 1}
	d, err := p.store.Claim(ctx, owner, []string{"shop"})
	if err != nil || d.ID != id {
		t.Errorf("claim: %d, %v", d.ID, err)
		return
	}
	out, err := p.book.Create(id, deployer.StepBuild, 0, transcript.NewRedactor())
	if err != nil {
		t.Error(err)
		return
	}
	step := deployer.StepRun{Step: deployer.StepBuild, StartedAt: time.Now()}
	if err := p.store.Report(ctx, id, owner, deployer.Progress{Commit: commit, Step: &step}); err != nil {
		t.Error(err)
	}
	out.Line(process.Stdout, []byte("hello from the build"))
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.store.Finish(ctx, id, owner, deployer.Result{Status: deployer.Succeeded}); err != nil {
		t.Error(err)
	}
}
