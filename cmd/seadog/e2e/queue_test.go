package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

func TestAThousandIdenticalDeliveriesAreOneDeployment(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	const n = 1000
	codes := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { codes[i], _, _ = s.push("site", "the-same", noCommit, r.head) })
	}
	wg.Wait()
	count := map[int]int{}
	for _, code := range codes {
		count[code]++
	}
	if count[http.StatusAccepted] != 1 || count[http.StatusOK] != n-1 {
		t.Errorf("answers %v, want one 202 and %d times 200", count, n-1)
	}
	list, err := s.api.Deployments(context.Background(), deployer.DeploymentFilter{Project: "site"})
	if err != nil || len(list.Deployments) != 1 {
		t.Errorf("%d deployments (error %v), want 1", len(list.Deployments), err)
	}
}

// TestTwoHundredPushesAreTwoDeploymentsAndTheLastCommitIsLive pushes faster
// than anybody can deploy, with real containers.
func TestTwoHundredPushesAreTwoDeploymentsAndTheLastCommitIsLive(t *testing.T) {
	needEngine(t)
	const pushes = 200
	project := fmt.Sprintf("e2e-many-%d", time.Now().UnixNano()%1_000_000)
	removeProject(t, project)
	r := newRepository(t)
	type move struct{ before, after string }
	var moves []move
	for i := range pushes {
		before, after := r.commit(map[string]string{"compose.yaml": composeFile(fmt.Sprint(i))})
		moves = append(moves, move{before, after})
	}
	// The health gate holds the first deployment until all pushes are in.
	s := newService(t, map[string]string{project: entry(r.dir, "health: {stable: 12s}\nsteps: {grace: 2s}")}, "")
	s.start()
	pace := time.NewTicker(10 * time.Second / pushes)
	defer pace.Stop()
	var last int64
	for i, m := range moves {
		<-pace.C
		last = s.mustPush(project, fmt.Sprint("push-", i), m.before, m.after)
	}
	d := s.over(last, time.Minute)
	if d.Status != deployer.Succeeded || d.Commit != r.head {
		t.Errorf("the last deployment: %s at %s: %s; want succeeded at %s", d.Status, d.Commit, d.Reason, r.head)
	}
	if got, want := liveVersion(t, project), fmt.Sprint(pushes-1); got != want {
		t.Errorf("version %q is live, want %q", got, want)
	}
	list, err := s.api.Deployments(context.Background(), deployer.DeploymentFilter{Project: project, Limit: 500})
	if err != nil || len(list.Deployments) > 2 {
		t.Errorf("%d deployments (error %v), want at most 2", len(list.Deployments), err)
	}
	s.stop()
}

func TestAPushBehindALockRunsWhenItIsReleased(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	ctx := context.Background()
	if _, err := s.api.Lock(ctx, "site", deployer.LockRequest{Reason: "maintenance"}); err != nil {
		t.Fatal(err)
	}
	code, d, err := s.push("site", "1", noCommit, r.head)
	if err != nil || code != http.StatusAccepted || d.Decisions[0].Verdict != deployer.VerdictDeferred {
		t.Fatalf("push behind a lock: %d %+v %v, want 202 deferred", code, d.Decisions, err)
	}
	if err := s.api.Unlock(ctx, "site"); err != nil {
		t.Fatal(err)
	}
	if end := s.over(d.Decisions[0].Deployment, 15*time.Second); end.Status != deployer.Succeeded {
		t.Errorf("ended as %s: %s", end.Status, end.Reason)
	}
}

// TestPushesOfImagesDeployTheHealthyCommitAgain: an image names no commit. That
// of the last healthy deployment is taken, and without one that of the branch.
// What was pushed is pulled every time.
func TestPushesOfImagesDeployTheHealthyCommitAgain(t *testing.T) {
	needEngine(t)
	f := newFake(t, "config=image")
	r := fakeProject(t)
	s := newService(t, map[string]string{
		"site": entry(r.dir, fmt.Sprintf("images: ['shop/site:latest']\nwebhook: {provider: generic, secret: %q}", hookSecret)),
	}, "")
	s.env = f.env()
	s.start()
	_, pushed := r.commit(map[string]string{"compose.yaml": "services: {} # 2\n"})
	push := func(i int, body string) int64 {
		code, d, err := s.deliver("/hooks/site", "", fmt.Sprint(i), []byte(body))
		if err != nil || code != http.StatusAccepted {
			t.Fatalf("delivery %d: %d %+v %v", i, code, d, err)
		}
		return d.Decisions[0].Deployment
	}
	require := func(id int64, commit string) {
		end := s.over(id, 20*time.Second)
		if end.Status != deployer.Succeeded || end.Commit != commit {
			t.Fatalf("deployment %d ended as %s at %q: %s; want succeeded at %s", end.ID, end.Status, end.Commit, end.Reason, commit)
		}
	}
	require(push(1, `{"image":"shop/site","tag":"latest","digest":"sha256:1"}`), pushed)
	_, pushed = r.commit(map[string]string{"compose.yaml": "services: {} # 3\n"})
	require(push(2, fmt.Sprintf(`{"ref":"refs/heads/main","after":%q}`, pushed)), pushed)
	r.commit(map[string]string{"compose.yaml": "services: {} # 4, of which nobody was told\n"})
	require(push(3, `{"image":"shop/site","tag":"latest","digest":"sha256:2"}`), pushed)
	require(push(4, `{"image":"shop/site","tag":"latest","digest":"sha256:3"}`), pushed)
	again, err := s.api.Redeploy(context.Background(), "site", deployer.RepeatRequest{})
	if err != nil {
		t.Fatal(err)
	}
	require(again.Deployment.ID, pushed)
	if pulls := f.calls("site/pull"); pulls != 5 {
		t.Errorf("%d pulls, want one for each of five deployments", pulls)
	}
}

// TestABurstIsAcceptedWhole sends a thousand webhooks of 7 KB at once, each on
// a connection of its own.
func TestABurstIsAcceptedWhole(t *testing.T) {
	needEngine(t)
	const n, projects = 1000, 20
	f := newFake(t, "")
	r := fakeProject(t)
	entries := map[string]string{}
	for i := range projects {
		entries[fmt.Sprintf("p%d", i)] = entry(r.dir, "")
	}
	s := newService(t, entries, "")
	s.env = f.env()
	s.start()
	var wg sync.WaitGroup
	codes := make([]int, n)
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			codes[i], _, errs[i] = s.push(fmt.Sprintf("p%d", i%projects), fmt.Sprint("burst-", i), noCommit, fmt.Sprintf("%040x", i+1))
		})
	}
	wg.Wait()
	for i, code := range codes {
		if code != http.StatusAccepted {
			t.Fatalf("webhook %d: status %d, error %v", i, code, errs[i])
		}
	}
	list, err := s.api.Deliveries(context.Background(), deployer.DeliveryFilter{Limit: 1})
	if err != nil || list.Deliveries[0].ID != n {
		t.Errorf("newest delivery %+v (error %v), want number %d", list.Deliveries, err, n)
	}
}
