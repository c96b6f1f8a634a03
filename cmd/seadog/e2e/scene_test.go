package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// Moments in the life of a deployment.
const (
	waiting   = "queued"
	fetching  = "fetch"
	building  = "build"
	replacing = "up"
	gated     = "health"
	goingBack = "rollback"
)

// held are the moments that keep a runner busy.
var held = []string{fetching, building, replacing, gated, goingBack}

// scene is a service with one project for each moment, whose deployment is held
// there: by a git remote that does not answer, by a Compose that hangs (before
// the build, after its containers were replaced, before it goes back), by a
// probe that fails. Those that touch containers touch real ones.
type scene struct {
	*service
	suffix   string
	fake     *fake
	forge    *forge
	releases *repository // of the project that goes back: a good one, and one that crashes
	sick     atomic.Bool // what the probe says
	probed   atomic.Bool
	heads    map[string]string // commit of each moment's deployment
	ids      map[string]int64
}

// newScene writes what a scene needs; extra is added to its configuration.
func newScene(t *testing.T, extra string) *scene {
	t.Helper()
	sc := &scene{suffix: fmt.Sprint(time.Now().UnixNano() % 1_000_000), fake: newFake(t, ""), ids: map[string]int64{}}
	probe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sc.probed.Store(true)
		if sc.sick.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(probe.Close)
	faked, site := fakeProject(t), newRepository(t)
	site.commit(map[string]string{"compose.yaml": composeFile("1")})
	sc.releases = newRepository(t)
	sc.releases.commit(map[string]string{"compose.yaml": composeFile("1")})
	sc.forge = newForge(t, faked)
	projects := map[string]string{}
	for moment, text := range map[string]string{
		waiting:   entry(faked.dir, "health: {stable: 1s}"),
		fetching:  entry(sc.forge.remote(sc.project(fetching)), "health: {stable: 1s}"),
		building:  entry(faked.dir, "health: {stable: 1s}"),
		replacing: entry(site.dir, "health: {stable: 1s}"),
		gated:     entry(site.dir, fmt.Sprintf("health: {stable: 1s, probes: [{http: %q}]}", probe.URL)),
		goingBack: entry(sc.releases.dir, "health: {stable: 1s}"),
	} {
		removeProject(t, sc.project(moment))
		projects[sc.project(moment)] = text + "\nsteps: {grace: 1s}"
	}
	sc.service = newService(t, projects, fmt.Sprintf("workers: {runners: %d}\n%s", len(held), extra))
	sc.env = sc.fake.env()
	sc.heads = map[string]string{
		waiting: faked.head, fetching: faked.head, building: faked.head, replacing: site.head, gated: site.head,
	}
	return sc
}

// project is the name of the project of a moment, which the engine sees as well.
func (sc *scene) project(moment string) string { return "e2e-" + moment + "-" + sc.suffix }

// mode lets the projects with containers have them, and then does as told.
func (sc *scene) mode(holds ...string) {
	sc.t.Helper()
	for _, moment := range []string{replacing, gated, goingBack} {
		holds = append([]string{sc.project(moment) + "=real"}, holds...)
	}
	sc.fake.mode(strings.Join(holds, " "))
}

// play starts the service and brings one deployment into each of some moments.
// What comes afterwards is not held.
func (sc *scene) play(moments ...string) {
	sc.t.Helper()
	sc.mode()
	sc.start()
	sc.request(goingBack, sc.releases.head)
	if d := sc.over(sc.ids[goingBack], time.Minute); d.Status != deployer.Succeeded {
		sc.t.Fatalf("the release to go back to: %s %s", d.Status, d.Reason)
	}
	_, sc.heads[goingBack] = sc.releases.commit(map[string]string{"compose.yaml": composeFile("2") + crashing})

	sc.sick.Store(true)
	sc.forge.silent.Store(true)
	back := fmt.Sprintf("%s/up@%d", sc.project(goingBack), sc.ids[goingBack])
	sc.mode(sc.project(building)+"/build=hold", sc.project(replacing)+"/up=real+hold", back+"=hold+real")
	for _, moment := range moments {
		sc.request(moment, sc.heads[moment])
	}
	for moment, reached := range map[string]func() bool{
		fetching:  func() bool { return sc.forge.held.Load() > 0 },
		building:  func() bool { return sc.fake.calls(sc.project(building)+"/build holds") > 0 },
		replacing: func() bool { return sc.fake.calls(sc.project(replacing)+"/up holds") > 0 },
		gated:     sc.probed.Load,
		goingBack: func() bool { return sc.fake.calls(back+" holds") > 0 },
	} {
		if slices.Contains(moments, moment) {
			sc.eventually(time.Minute, "the deployment is in "+moment, reached)
		}
	}
	sc.mode()
	sc.forge.silent.Store(false)
}

// queue requests one more deployment, for which no runner is free.
func (sc *scene) queue() {
	sc.t.Helper()
	sc.request(waiting, sc.heads[waiting])
	o, err := sc.api.Overview(context.Background())
	if err != nil || o.Running != len(held) || o.Queued != 1 {
		sc.t.Fatalf("%d deployments run and %d wait (error %v), want %d and 1", o.Running, o.Queued, err, len(held))
	}
}

func (sc *scene) request(moment, head string) {
	sc.t.Helper()
	sc.ids[moment] = sc.mustPush(sc.project(moment), moment+head, noCommit, head)
}

// interrupted requires that the first attempts that ran when something was
// killed are over in time, and that nothing that they started outlives them.
func (sc *scene) interrupted(killed time.Time) {
	sc.t.Helper()
	left := slices.Clone(held)
	over := func() bool {
		left = slices.DeleteFunc(left, func(moment string) bool {
			d, err := sc.api.Deployment(context.Background(), sc.ids[moment])
			if err != nil || !d.Status.Final() {
				return false
			}
			if alive := sc.started(d.ID); len(alive) > 0 {
				sc.t.Errorf("%s: %s, and %q still run", moment, d.Status, alive)
			}
			sc.t.Logf("%s: %s after %s", moment, d.Status, time.Since(killed).Round(100*time.Millisecond))
			return true
		})
		return len(left) == 0
	}
	if !await(truth-time.Since(killed), over) {
		sc.t.Errorf("after %s there is no truth about %v", truth, left)
	}
}

// release ends what is held. Where it was interrupted, only the probe is still needed.
func (sc *scene) release(all bool) {
	sc.sick.Store(false)
	if all {
		sc.forge.release()
		sc.fake.release()
	}
}

// settled waits until nothing runs and nothing waits, and requires that nothing else is left.
func (sc *scene) settled() {
	sc.t.Helper()
	sc.eventually(recovery, "everything is over", func() bool {
		o, err := sc.api.Overview(context.Background())
		return err == nil && o.Running == 0 && o.Queued == 0
	})
	if locks, err := sc.api.Locks(context.Background()); err != nil || len(locks.Locks) > 0 {
		sc.t.Errorf("locks %+v, error %v", locks, err)
	}
	if alive := sc.started(0); len(alive) > 0 {
		sc.t.Errorf("processes of steps are left: %q", alive)
	}
}

// started returns the command lines of the live processes that carry the marker
// of a deployment, of any for 0.
func (sc *scene) started(deployment int64) []string {
	marker := process.MarkerVariable + "="
	if deployment > 0 {
		marker += fmt.Sprintf("%d-", deployment)
	}
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, _ := os.ReadFile(file)
		// Other services run at the same time, and number their deployments alike.
		if bytes.Contains(env, []byte("\x00"+marker)) && bytes.Contains(env, []byte(sc.fake.dir)) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// row is what must be true of one attempt in the end.
type row struct {
	Status  deployer.Status
	Cause   deployer.Cause
	Outcome deployer.Outcome
	Attempt int
}

// require compares the attempts of the deployment that was in a moment, newest first.
func (sc *scene) require(t *testing.T, moment string, want ...row) {
	t.Helper()
	ctx := context.Background()
	list, err := sc.api.Deployments(ctx, deployer.DeploymentFilter{Project: sc.project(moment)})
	if err != nil {
		t.Fatal(err)
	}
	var got []row
	for _, d := range list.Deployments {
		if d.ID < sc.ids[moment] {
			continue
		}
		got = append(got, row{d.Status, d.Cause, d.Outcome, d.Attempt})
		if d.ID != sc.ids[moment] && d.Origin != sc.ids[moment] {
			t.Errorf("deployment %d comes from %d, want %d", d.ID, d.Origin, sc.ids[moment])
		}
		if d.Status != deployer.Succeeded && d.Reason == "" {
			t.Errorf("deployment %d is %s without a reason", d.ID, d.Status)
		}
		whole, err := sc.api.Deployment(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range whole.Steps {
			if step.FinishedAt == nil {
				t.Errorf("deployment %d is %s, and its step %s is not", d.ID, d.Status, step.Step)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
		for _, d := range list.Deployments {
			t.Logf("%d: %s", d.ID, d.Reason)
		}
	}
}

// requireContainer: a project has one container, which runs, of a version.
func requireContainer(t *testing.T, project, version string) {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--all", "--filter", "label=com.docker.compose.project="+project,
		"--format", `{{.Names}} {{.State}} {{.Label "e2e.version"}}`).CombinedOutput()
	if got, want := strings.TrimSpace(string(out)), project+"-site-1 running "+version; err != nil || got != want {
		t.Errorf("containers %q (error %v), want %q", got, err, want)
	}
}
