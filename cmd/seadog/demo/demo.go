// Package demo shows seadog at work on one machine: a sample repository, a
// real service, signed pushes, real containers, a broken release and its
// rollback. It leaves nothing behind, whichever way it ends.
//
// It drives the service from outside, as a forge, a browser and a person would.
package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

// patience bounds every wait of the demo for something that takes a moment.
const patience = 2 * time.Minute

// Config says where the demo finds what it needs.
type Config struct {
	Executable string // the seadog binary
	Out        io.Writer
}

// demo is one run.
type demo struct {
	Config
	dir     string
	project string // also the Compose project
	secret  string
	token   string
	service string // base URLs
	site    string
	repo    *repository
	api     *client.Client
}

// Run shows everything once. It returns the first thing that was not as it
// should be; whatever was started is stopped and removed in any case.
func Run(ctx context.Context, c Config) (err error) {
	dir, err := os.MkdirTemp("", "seadog-demo-")
	if err != nil {
		return err
	}
	d := &demo{Config: c, dir: dir, project: "demo-" + scene.RandomHex(4), secret: scene.RandomHex(24)}
	defer func() {
		// Not under ctx: the clean-up also happens after ^C.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if left := d.cleanUp(clean); err == nil {
			err = left
		}
	}()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	serve := server{args: []string{"serve", "--config", filepath.Join(d.dir, "seadog.yml")}, url: d.service, ready: "/readyz"}
	if err := d.serve(ctx, serve, d.story); err != nil {
		return err
	}
	return d.fault(ctx)
}

// story is what a viewer sees.
func (d *demo) story(ctx context.Context) error {
	for _, version := range []string{"1", "2"} {
		d.title("push version %s", version)
		end, err := d.deploy(ctx, version)
		if err != nil {
			return err
		}
		if end.Status != deployer.Succeeded {
			return fmt.Errorf("deployment %d %s: %s", end.ID, end.Status, end.Reason)
		}
		if err := d.expect(ctx, version); err != nil {
			return err
		}
	}

	d.title("push a version that starts and never answers")
	end, err := d.deploy(ctx, "broken")
	if err != nil {
		return err
	}
	if end.Status != deployer.Failed || end.Outcome != deployer.OutcomeRolledBack {
		return fmt.Errorf("the broken version ended as %s %s: %s", end.Status, end.Outcome, end.Reason)
	}
	if err := d.expect(ctx, "2"); err != nil {
		return err
	}

	d.title("what the service knows about it")
	list, err := d.api.Deliveries(ctx, deployer.DeliveryFilter{Project: d.project})
	if err != nil {
		return err
	}
	for _, delivery := range list.Deliveries {
		for _, decision := range delivery.Decisions {
			d.say("delivery %d: %s %.12s → %s, deployment %d", delivery.ID, decision.Ref, decision.Commit, decision.Verdict, decision.Deployment)
		}
	}

	d.title("the same in a browser")
	if err := d.pages(ctx); err != nil {
		return err
	}
	d.title("a short load test: 100 webhooks a second, repeated ones and forged ones among them")
	return d.load(ctx)
}

// deploy commits a version, pushes it as GitHub would, and shows the live log until the deployment is over.
func (d *demo) deploy(ctx context.Context, version string) (deployer.Deployment, error) {
	before, after, err := d.repo.commit(ctx, version)
	if err != nil {
		return deployer.Deployment{}, err
	}
	delivery, err := push(ctx, d.service+"/hooks/"+d.project, d.secret, before, after, "Release version "+version)
	if err != nil {
		return deployer.Deployment{}, err
	}
	id := delivery.Decisions[0].Deployment
	d.say("delivery %d was recorded: %s, deployment %d", delivery.ID, delivery.Decisions[0].Verdict, id)

	var end deployer.Deployment
	err = d.api.Follow(ctx, id, "", func(e client.Event) error {
		switch e.Kind {
		case client.EventLine:
			fmt.Fprintf(d.Out, "   %-8s │ %s\n", e.Record.Step, e.Record.Line)
		case client.EventEnd:
			end = e.Deployment
		}
		return nil
	})
	if err != nil {
		return end, fmt.Errorf("follow deployment %d: %w", id, err)
	}
	d.say("deployment %d: %s %s", end.ID, end.Status, strings.TrimSpace(string(end.Outcome)+" "+end.Reason))
	return end, nil
}

// expect asks the running container for its version.
func (d *demo) expect(ctx context.Context, version string) error {
	page, err := scene.Get(ctx, d.site)
	if err != nil {
		return fmt.Errorf("ask the container: %w", err)
	}
	d.say("GET %s → %s", d.site, page)
	if want := "hello from version " + version; page != want {
		return fmt.Errorf("the container answers %q, want %q", page, want)
	}
	return nil
}

// prepare makes the sample repository and the configuration.
func (d *demo) prepare(ctx context.Context) error {
	ports, err := scene.FreePorts(3)
	if err != nil {
		return err
	}
	d.service = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	d.site = fmt.Sprintf("http://127.0.0.1:%d", ports[2])

	d.title("a repository with a Compose project")
	d.repo, err = newRepository(ctx, filepath.Join(d.dir, "repository"), d.Executable, ports[2])
	if err != nil {
		return err
	}
	d.say("%s: Dockerfile (FROM scratch), compose.yaml with a health check", d.repo.Dir)

	d.token = scene.RandomHex(24)
	d.api, err = client.New(client.Config{URL: d.service, Token: deployer.NewSecret(d.token)})
	if err != nil {
		return err
	}
	files := map[string]string{
		"hook.secret": d.secret,
		"api.token":   d.token,
		"seadog.yml":  fmt.Sprintf(configuration, ports[0], ports[1], filepath.Join(d.dir, "data"), d.project, d.repo.Dir),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// configuration is the demo's seadog.yml.
const configuration = `listen: ["127.0.0.1:%d"]
admin:
  listen: "127.0.0.1:%d"
data: %q
api:
  tokens:
    - name: demo
      scope: deploy
      token_file: api.token
projects:
  %s:
    repository: %q
    webhook:
      provider: github
      secret_file: hook.secret
    branches: [main]
    rollback: auto
    steps:
      health: {deadline: 30s}
      grace: 2s
`

func (d *demo) title(format string, args ...any) {
	fmt.Fprintf(d.Out, "\n── "+format+"\n", args...)
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.Out, "   "+format+"\n", args...)
}
