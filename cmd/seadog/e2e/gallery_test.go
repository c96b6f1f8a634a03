package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
	"github.com/seadog/seadog/watchdog"
)

// gallery is a service with a past and a present: enough of everything to see
// what each page looks like.
type gallery struct {
	*service
	fake   *fake
	failed int64 // a deployment with a long log that was rolled back
	live   int64 // one that runs
	heads  map[string]string
}

const succeeds, fails = deployer.Succeeded, deployer.Failed

// newGallery starts it.
func newGallery(t *testing.T) *gallery {
	t.Helper()
	needEngine(t)
	f := newFake(t, "shop/build=chat+hold mail/build=hold")
	r := fakeProject(t)
	projects := map[string]string{}
	for _, name := range []string{"api", "auth", "billing", "blog", "crm", "docs", "landing", "mail", "metrics", "search", "shop", "wiki"} {
		projects[name] = entry(r.dir, "health: {stable: 1s}\nsteps: {grace: 1s, build: {silence: 0s}}")
	}
	g := &gallery{service: newService(t, projects, ""), fake: f, heads: map[string]string{"docs": r.head}}
	g.env = f.env()
	g.past(t)
	g.labIncident(t)
	g.reports(t)
	g.start()
	g.stoppedWorker(t)
	g.present(t, r)
	return g
}

func ordinary(scale time.Duration) map[deployer.Step]time.Duration {
	return map[deployer.Step]time.Duration{
		deployer.StepFetch: scale / 8, deployer.StepConfig: scale / 20, deployer.StepPull: scale / 3, deployer.StepBuild: 2 * scale,
		deployer.StepUp: scale / 2, deployer.StepHealth: scale / 3, deployer.StepFinish: scale / 9,
	}
}

// past is three days of deployments.
func (g *gallery) past(t *testing.T) {
	t.Helper()
	p := newPast(t, g.path("data"), time.Now().Add(-70*time.Hour))
	defer p.end()
	people := []string{"mira", "jonas", "adaeze", "li.wei"}
	messages := []string{
		"Show prices without tax to companies", "Retry the payment provider twice", "Update dependencies", "Fix the width of the basket on phones",
		"Cache the list of countries", "Log in with a passkey", "Remove the old importer", "Say which address is missing",
	}
	names := []string{"api", "auth", "billing", "blog", "crm", "docs", "landing", "mail", "search", "shop", "wiki"}
	for i := range 44 {
		p.now = p.now.Add(83 * time.Minute)
		p.deploy(release{
			project: names[(i*7)%len(names)], message: messages[i%len(messages)], by: people[i%len(people)], status: succeeds,
			steps: ordinary(time.Duration(9+i%13) * time.Second), log: map[deployer.Step]string{deployer.StepBuild: buildLog(30 + i%20)},
		})
		if i%9 == 4 {
			p.ignored(names[i%len(names)], "refs/heads/feature/cart", "branch feature/cart matches none of main")
		}
	}
	p.now = p.now.Add(40 * time.Minute)
	steps := ordinary(11 * time.Second)
	delete(steps, deployer.StepFinish)
	steps[deployer.StepHealth], steps[deployer.StepRollback] = 42*time.Second, 9*time.Second
	g.failed = p.deploy(release{
		project: "billing", message: "Move invoices to the new numbering", by: "jonas", status: fails, outcome: deployer.OutcomeRolledBack, cause: deployer.CauseUnhealthy,
		reason: "service web is unhealthy: GET /ready answered 500 three times", fails: deployer.StepHealth,
		steps: steps, log: map[deployer.Step]string{deployer.StepFetch: fetchLog, deployer.StepBuild: buildLog(420), deployer.StepUp: upLog, deployer.StepHealth: healthLog},
	})
	steps = ordinary(6 * time.Second)
	delete(steps, deployer.StepUp)
	delete(steps, deployer.StepHealth)
	delete(steps, deployer.StepFinish)
	p.now = p.now.Add(12 * time.Minute)
	p.deploy(release{
		project: "search", message: "Upgrade to the next major version of the index", by: "adaeze", status: fails, outcome: deployer.OutcomeUntouched, cause: deployer.CauseStepFailed,
		reason: "build exited with 1: process \"/bin/sh -c npm run build\" did not complete successfully", fails: deployer.StepBuild, steps: steps,
		log: map[deployer.Step]string{deployer.StepBuild: buildLog(60) + "! #12 ERROR: process \"/bin/sh -c npm run build\" did not complete successfully: exit code: 1\n"},
	})
}

const fetchLog = `Fetching refs/heads/main
From git.example.org:acme/billing
 * branch            main       -> FETCH_HEAD
HEAD is now at 9e3779b9 Move invoices to the new numbering`

const upLog = `! Container billing-db-1  Running
! Container billing-web-1  Recreate
! Container billing-web-1  Recreated
! Container billing-web-1  Starting
! Container billing-web-1  Started`

const healthLog = `db: healthy
web: starting
web: starting
web: unhealthy: GET /ready answered 500
! web | Error: relation "invoice_numbers" does not exist
! web |     at Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:287:98)
! web |     at Socket.<anonymous> (/app/node_modules/pg-protocol/dist/index.js:11:42)
web: unhealthy: GET /ready answered 500
web: unhealthy: GET /ready answered 500
service web is unhealthy: GET /ready answered 500 three times`

// buildLog is what building prints.
func buildLog(lines int) string {
	var b strings.Builder
	b.WriteString("#1 [internal] load build definition from Dockerfile\n#1 transferring dockerfile: 812B done\n#2 [internal] load metadata for docker.io/library/node:22\n")
	for i := range lines {
		switch i % 6 {
		case 0:
			fmt.Fprintf(&b, "#%d [web %d/%d] RUN npm ci --no-audit\n", 5+i/40, 3+i/40, 9)
		case 3:
			fmt.Fprintf(&b, "#%d %.3f npm warn deprecated glob@7.%d.3: versions before v9 are not supported any more\n", 5+i/40, float64(i)*0.113, i)
		default:
			fmt.Fprintf(&b, "#%d %.3f added package %d of 1184, sha512-%032x\n", 5+i/40, float64(i)*0.113, i, i*7919)
		}
	}
	return b.String()
}

// labIncident lets the lab deadlock, and keeps what its watchdog wrote down.
func (g *gallery) labIncident(t *testing.T) {
	t.Helper()
	data, port := t.TempDir(), freePorts(t, 1)[0]
	lab := exec.Command(binary, "lab", "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--harakiri", "1s", "--mercy", "1s", "--data", data)
	if err := lab.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = lab.Process.Signal(syscall.SIGTERM)
		_ = lab.Wait()
	}()
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	g.eventually(20*time.Second, "the lab is healthy", func() bool {
		answer, err := http.Get(url + "/health")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	answer, err := http.Get(url + "/deadlock")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	from, to := filepath.Join(data, "incidents"), filepath.Join(g.path("data"), "incidents")
	g.eventually(20*time.Second, "its worker is killed, with a dump", func() bool {
		dumps, _ := filepath.Glob(filepath.Join(from, "*.dump"))
		records, _ := filepath.Glob(filepath.Join(from, "*.json"))
		return len(dumps) > 0 && len(records) > 1
	})
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(from, "*"))
	for _, file := range files {
		copyFile(t, file, filepath.Join(to, filepath.Base(file)))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// stoppedWorker stops an HTTP worker, which the watchdog has to replace.
func (g *gallery) stoppedWorker(t *testing.T) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	g.eventually(20*time.Second, "all are there, and nothing is under way", g.quiet)
	if err := syscall.Kill(g.workers("worker http")[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	g.eventually(20*time.Second, "it is replaced", func() bool {
		return g.accused("http", watchdog.Stopped) && len(g.workers("worker http")) == 3
	})
}

// present is two deployments that run, and three that wait.
func (g *gallery) present(t *testing.T, r *repository) {
	t.Helper()
	g.must("PUT", "/api/v1/projects/crm/lock", `{"reason":"customer import until noon","for":"3h"}`)
	g.live = g.mustPush("shop", "live", noCommit, r.head)
	g.mustPush("mail", "mail", noCommit, r.head)
	g.eventually(20*time.Second, "both runners are busy", func() bool {
		return g.fake.calls("shop/build") == 1 && g.fake.calls("mail/build") == 1
	})
	for _, name := range []string{"api", "crm"} {
		g.mustPush(name, name, noCommit, r.head)
	}
	_, next := r.commit(map[string]string{"README": "more\n"})
	g.mustPush("shop", "next", r.head, next)
}

// reports are those of two load tests, of which the newer one failed.
func (g *gallery) reports(t *testing.T) {
	t.Helper()
	for i, verdict := range []loadtest.Verdict{loadtest.Pass, loadtest.SLO} {
		r := &loadtest.Report{
			Schema: loadtest.SchemaVersion, Verdict: verdict, Code: verdict.Code(),
			Identity: loadtest.Identity{
				Run: fmt.Sprint(i), Scenario: "webhook-storm", Started: time.Now().Add(time.Duration(i-2) * 24 * time.Hour), Elapsed: 61 * time.Second,
				Target: g.url, Version: "test",
			},
			Thresholds: []loadtest.ThresholdResult{
				{Text: "response{kind=push}.p(99) < 200ms", Verdict: verdict, Known: true, Value: 0.161 + 0.08*float64(i), Limit: 0.2, Shown: []string{"161ms", "241ms"}[i]},
				{Text: "lost() == 0", Verdict: loadtest.Pass, Known: true, Shown: "0"},
			},
		}
		if verdict != loadtest.Pass {
			r.Reasons = []loadtest.Reason{{Verdict: verdict, Text: "response{kind=push}.p(99) is 241ms, < 200ms was wanted"}}
		}
		if err := report.Write(filepath.Join(g.path("data"), "reports", fmt.Sprint("storm-", i)), r); err != nil {
			t.Fatal(err)
		}
	}
}

// must makes a call of the API.
func (g *gallery) must(method, path, body string) {
	g.t.Helper()
	req, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apiToken)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		g.t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
}

// pages are all that there are, by the name of their picture.
func (g *gallery) pages() map[string]string {
	deadlock, stopped := "", ""
	for _, i := range g.incidents() {
		switch {
		case i.Evidence.Dump != "":
			deadlock = i.ID
		case i.Reason == watchdog.Stopped.String():
			stopped = i.ID
		}
	}
	return map[string]string{
		"overview": "/", "project": "/projects/billing", "project-locked": "/projects/crm", "deployments": "/deployments",
		"deployment": fmt.Sprintf("/deployments/%d?at=error", g.failed), "deployment-live": fmt.Sprintf("/deployments/%d", g.live),
		"deliveries": "/deliveries", "delivery": "/deliveries/1", "workers": "/workers", "incidents": "/incidents",
		"incident": "/incidents/" + deadlock, "incident-stopped": "/incidents/" + stopped,
		"reports": "/reports", "report": "/reports/storm-1", "comparison": "/reports?a=storm-0&b=storm-1", "settings": "/settings", "trouble": "/nowhere",
	}
}

// TestScreenshots makes pictures of every page, in both widths and both colour
// schemes, for people to look at: `make screenshots`.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SEADOG_SCREENSHOTS")
	if dir == "" {
		t.Skip("make screenshots sets SEADOG_SCREENSHOTS")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	g := newGallery(t)
	b := newBrowser(t, g.url)
	b.open("/")
	b.screenshot(filepath.Join(dir, "sign-in.png"), true)
	b.signIn(apiToken)
	var paints []float64
	for _, theme := range []string{"light", "dark"} {
		b.theme(theme)
		for name, width := range map[string]int64{"wide": wide, "narrow": narrow} {
			b.width(width)
			for page, path := range g.pages() {
				b.open(path)
				b.until(10*time.Second, "it is there", "document.readyState === 'complete' && seen.paint > 0")
				paints = append(paints, b.observed().Paint)
				b.screenshot(filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", page, name, theme)), true)
			}
			b.open(g.pages()["project"])
			b.click("[popovertarget=ask-deploy]")
			b.screenshot(filepath.Join(dir, fmt.Sprintf("dialog-%s-%s.png", name, theme)), false)
			b.open("/")
			if width == narrow {
				b.click(".menu summary")
			} else {
				b.click(".rail [popovertarget=keys]")
			}
			b.screenshot(filepath.Join(dir, fmt.Sprintf("menu-%s-%s.png", name, theme)), false)
		}
	}
	t.Logf("the pictures are in %s; %s", dir, painted(paints))
}
