package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// built is a project whose image is built from the repository, so that a
// version is a different image under the same name.
func built(version, more string) map[string]string {
	return map[string]string{
		"compose.yaml": fmt.Sprintf("services:\n  site:\n    build: .\n    stop_grace_period: 1s\n    labels: {e2e.version: %q}\n%s", version, more),
		"Dockerfile":   fmt.Sprintf("FROM %s\nLABEL version=%s\n", image, version),
	}
}

const crashing = "    environment: {SITE: crash}\n"

func projectName(t *testing.T, kind string) string {
	name := fmt.Sprintf("e2e-%s-%d", kind, time.Now().UnixNano()%1_000_000)
	removeProject(t, name)
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "--force", name+"-site").Run() })
	return name
}

func TestAFailedReleaseGoesBackAsThePolicySays(t *testing.T) {
	needEngine(t)
	for policy, want := range map[deployer.RollbackPolicy]struct {
		outcome deployer.Outcome
		version string
	}{
		deployer.RollbackAuto:   {deployer.OutcomeRolledBack, "1"},
		deployer.RollbackNotify: {deployer.OutcomeLeft, ""},
		deployer.RollbackOff:    {deployer.OutcomeLeft, ""},
	} {
		t.Run(string(policy), func(t *testing.T) {
			project := projectName(t, string(policy))
			r := newRepository(t)
			r.commit(built("1", ""))
			s := newService(t, map[string]string{project: entry(r.dir, fmt.Sprintf("rollback: %q\nhealth: {stable: 1s}", policy))}, "")
			s.start()
			if d := s.over(s.mustPush(project, "1", noCommit, r.head), time.Minute); d.Status != deployer.Succeeded {
				t.Fatalf("the first release: %s %s", d.Status, d.Reason)
			}
			before, after := r.commit(built("2", crashing))
			d := s.over(s.mustPush(project, "2", before, after), time.Minute)
			if d.Status != deployer.Failed || d.Cause != deployer.CauseUnhealthy || d.Outcome != want.outcome {
				t.Errorf("ended as %s (%s, %s): %s; want failed (unhealthy, %s)", d.Status, d.Cause, d.Outcome, d.Reason, want.outcome)
			}
			if got := liveVersion(t, project); got != want.version {
				t.Errorf("version %q is live, want %q", got, want.version)
			}
		})
	}
}

func TestABrokenBuildLeavesWhatRunsAlone(t *testing.T) {
	needEngine(t)
	project := projectName(t, "build")
	r := newRepository(t)
	r.commit(built("1", ""))
	s := newService(t, map[string]string{project: entry(r.dir, "health: {stable: 1s}")}, "")
	s.start()
	if d := s.over(s.mustPush(project, "1", noCommit, r.head), time.Minute); d.Status != deployer.Succeeded {
		t.Fatalf("the first release: %s %s", d.Status, d.Reason)
	}
	container := containerOf(t, project)
	before, after := r.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY nothing /\n"})
	d := s.over(s.mustPush(project, "2", before, after), time.Minute)
	if d.Status != deployer.Failed || d.Step != deployer.StepBuild || d.Outcome != deployer.OutcomeUntouched {
		t.Errorf("ended as %s in %s (%s): %s; want failed in build (untouched)", d.Status, d.Step, d.Outcome, d.Reason)
	}
	if now := containerOf(t, project); now != container {
		t.Errorf("container %s runs, want still %s", now, container)
	}
}

// TestAPersonGoesBack: rollback brings the very image of then, although its
// name stands for another one by now.
func TestAPersonGoesBack(t *testing.T) {
	needEngine(t)
	project := projectName(t, "back")
	r := newRepository(t)
	r.commit(built("1", ""))
	s := newService(t, map[string]string{project: entry(r.dir, "health: {stable: 1s}")}, "")
	s.start()
	ctx := context.Background()
	first := s.over(s.mustPush(project, "1", noCommit, r.head), time.Minute)
	image := imageOf(t, project)
	before, after := r.commit(built("2", ""))
	if d := s.over(s.mustPush(project, "2", before, after), time.Minute); d.Status != deployer.Succeeded {
		t.Fatalf("the second release: %s %s", d.Status, d.Reason)
	}
	placed, err := s.api.Rollback(ctx, project, deployer.RepeatRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d := s.over(placed.Deployment.ID, time.Minute)
	if d.Status != deployer.Succeeded || d.Origin != first.ID || d.Commit != first.Commit {
		t.Errorf("the rollback: %s from %d at %s: %s", d.Status, d.Origin, d.Commit, d.Reason)
	}
	if got := liveVersion(t, project); got != "1" {
		t.Errorf("version %q is live, want 1", got)
	}
	if now := imageOf(t, project); now != image {
		t.Errorf("image %s runs, want that of then, %s", now, image)
	}
	if _, err := s.api.Redeploy(ctx, project, deployer.RepeatRequest{}); err != nil {
		t.Errorf("redeploy: %v", err)
	}
}

// TestAKilledRollbackStillGoesBack: its second attempt runs the images of then
// as well, not what their name stands for by now.
func TestAKilledRollbackStillGoesBack(t *testing.T) {
	needEngine(t)
	project := projectName(t, "killed-back")
	tag := project + "-site"
	dir := t.TempDir()
	text := fmt.Sprintf("services:\n  site:\n    image: %s\n    pull_policy: never\n    stop_grace_period: 1s\n", tag)
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFake(t, project+"=real")
	s := newService(t, map[string]string{
		project: fmt.Sprintf("webhook: {provider: generic, secret: %q}\nimages: [%q]\ncompose: {directory: %q}\nhealth: {stable: 1s}\nsteps: {grace: 1s}", hookSecret, tag, dir),
	}, "")
	s.env = f.env()
	s.start()
	ctx := context.Background()
	var images []string
	for version := range 2 {
		buildVersion(t, tag, version)
		placed, err := s.api.Deploy(ctx, project, deployer.DeployRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if d := s.over(placed.Deployment.ID, time.Minute); d.Status != deployer.Succeeded {
			t.Fatalf("version %d: %s %s", version, d.Status, d.Reason)
		}
		images = append(images, imageOf(t, project))
	}
	if images[0] == images[1] {
		t.Fatal("both versions are the same image")
	}
	f.mode(project + "=real " + project + "/up=hold+real")
	placed, err := s.api.Rollback(ctx, project, deployer.RepeatRequest{})
	if err != nil {
		t.Fatal(err)
	}
	s.eventually(time.Minute, "the rollback is in up", func() bool { return f.calls(project+"/up holds") > 0 })
	f.mode(project + "=real")
	s.killWorkers("worker runner", 2)
	requireInterruptedOnce(t, s, f, placed.Deployment.ID)
	if now := imageOf(t, project); now != images[0] {
		t.Errorf("image %s runs, want that of then, %s", now, images[0])
	}
}

// buildVersion lets tag stand for an image that no other version has.
func buildVersion(t *testing.T, tag string, version int) {
	t.Helper()
	cmd := exec.Command("docker", "build", "--quiet", "--tag", tag, "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("FROM %s\nLABEL e2e.image=%d\n", image, version))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v\n%s", err, out)
	}
}

func containerOf(t *testing.T, project string) string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--quiet", "--no-trunc", "--filter", "label=com.docker.compose.project="+project).Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("docker ps: %q, %v", out, err)
	}
	return strings.TrimSpace(string(out))
}

func imageOf(t *testing.T, project string) string {
	t.Helper()
	out, err := exec.Command("docker", "inspect", "--format", "{{.Image}}", containerOf(t, project)).Output()
	if err != nil {
		t.Fatalf("docker inspect: %v", err)
	}
	return strings.TrimSpace(string(out))
}
