package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/seadog/seadog/deployer"
)

func TestWebADeploymentIsWatchedAsItGoesThrough(t *testing.T) {
	needEngine(t)
	r := newRepository(t)
	_, head := r.commit(map[string]string{"compose.yaml": composeFile("1")})
	project := fmt.Sprintf("e2e-web-%d", time.Now().UnixNano()%1_000_000)
	removeProject(t, project)
	s := newService(t, map[string]string{project: entry(r.dir, "health: {stable: 1s}\nsteps: {grace: 1s}")}, "")
	s.start()
	b := newBrowser(t, s.url)
	b.signIn(apiToken)
	b.until(10*time.Second, "nothing runs", "document.querySelector('#part-running').innerText.includes('No deployment runs')")
	id := s.mustPush(project, "1", noCommit, head)
	b.until(20*time.Second, "the overview shows it by itself", fmt.Sprintf("document.querySelector('#part-recent a[href=\"/deployments/%d\"]')", id))
	b.still()
	b.open(fmt.Sprintf("/deployments/%d", id))
	b.until(time.Minute, "it succeeds before one's eyes", "document.querySelector('#part-standing .pill').innerText === 'succeeded'")
	b.until(10*time.Second, "the log has its last lines", "document.querySelector('details.step[data-step=health] .l')")
	for _, step := range []string{"fetch", "config", "up", "health", "finish"} {
		if class := value[string](b, fmt.Sprintf("document.querySelector('#part-steps a[data-step=%s]').parentElement.className", step)); class != "good" {
			t.Errorf("step %s is %s", step, class)
		}
	}
	if title := value[string](b, "document.title"); !strings.Contains(title, "succeeded") {
		t.Errorf("the title says %q", title)
	}
	if said := b.text("#announce"); !strings.Contains(said, "succeeded") {
		t.Errorf("a screen reader hears %q", said)
	}
	b.still()
	requireContainer(t, project, "1")

	// The same again, by hand.
	b.click("[popovertarget=ask-redeploy]")
	b.click("#ask-redeploy .button.main")
	b.until(10*time.Second, "one is brought to the new deployment", fmt.Sprintf("location.pathname === '/deployments/%d'", id+1))
	b.until(time.Minute, "it succeeds too", "document.querySelector('#part-standing .pill').innerText === 'succeeded'")
	b.still()
	b.clean()
	if d := s.over(id+1, time.Second); d.Trigger != deployer.TriggerRedeploy || d.By != "e2e" || d.Origin != id {
		t.Errorf("it is %+v", d)
	}
}

// TestWebADeploymentIsCanceledWithoutScript: also that takes a confirmation.
func TestWebADeploymentIsCanceledWithoutScript(t *testing.T) {
	needEngine(t)
	f := newFake(t, "site/build=hang")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "steps: {grace: 1s}")}, "")
	s.env = f.env()
	s.start()
	// Without TLS and on another host than this one, browsers do not say where a
	// form comes from in Sec-Fetch-Site.
	b := newBrowser(t, strings.Replace(s.url, "127.0.0.1", "seadog.test", 1))
	if err := enable(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.open("/")
	b.run(chromedp.SendKeys(chromedp.ID("token"), apiToken), chromedp.Click(chromedp.CSS("form .button.main")), chromedp.WaitVisible(chromedp.CSS("#part-running")))
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(10*time.Second, "the build hangs", func() bool { return len(f.alive()) == 2 })
	b.open(fmt.Sprintf("/deployments/%d", id))
	b.run(chromedp.WaitNotVisible(chromedp.CSS("#ask-cancel .danger")))
	b.click("[popovertarget=ask-cancel]")
	b.click("#ask-cancel .danger")
	if d := s.over(id, 15*time.Second); d.Status != deployer.Canceled || d.CancelBy != "e2e" {
		t.Errorf("it ended as %s, asked for by %q", d.Status, d.CancelBy)
	}
	b.open(fmt.Sprintf("/deployments/%d", id))
	if text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("#part-standing"))); err != nil || !strings.Contains(text, "canceled") {
		t.Errorf("the page says %q, error %v", text, err)
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
	b.clean()
}

func TestWebALongLogDoesNotFreezeThePage(t *testing.T) {
	needEngine(t)
	f := newFake(t, "site/build=long")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "steps: {grace: 1s}\nrollback: off")}, "")
	s.env = f.env()
	s.start()
	b := newBrowser(t, s.url)
	b.signIn(apiToken)
	id := s.mustPush("site", "1", noCommit, r.head)
	b.open(fmt.Sprintf("/deployments/%d", id))
	b.until(30*time.Second, "all lines are there", fmt.Sprintf("document.querySelectorAll('.log .l').length >= %d && document.body.dataset.state === 'over'", longLog))
	b.still()
	live := b.observed()
	if !value[bool](b, "log.scrollHeight - log.scrollTop - log.clientHeight < 60") {
		t.Error("the end of the log is not in sight")
	}
	line := value[string](b, "document.querySelector('details.step[data-step=build] .l').innerHTML")
	if line != "line 0 of a long log, which says something about &lt;b&gt;module&lt;/b&gt; 0" {
		t.Errorf("the first line is %q", line)
	}
	ids := value[[]string](b, "[...document.querySelectorAll('.log .l')].map(l => l.id)")
	if slices.Sort(ids); len(slices.Compact(ids)) < longLog {
		t.Error("lines came twice")
	}

	b.click("#find")
	b.run(chromedp.SendKeys(chromedp.ID("find"), "LINE 777 of"))
	b.until(10*time.Second, "it is found", "found.value === '1/1'")
	inSight := "(l => l.getBoundingClientRect().top > log.getBoundingClientRect().top && l.getBoundingClientRect().bottom < log.getBoundingClientRect().bottom)"
	b.until(10*time.Second, "and shown", inSight+"([...document.querySelectorAll('.log .l')].find(l => l.textContent.startsWith('line 777 of')))")
	b.run(chromedp.KeyEvent("\u001b"), chromedp.KeyEvent("e")) // Escape leaves the field
	b.until(10*time.Second, "the first error is shown", inSight+"(document.querySelector('.l.here')) && document.querySelector('.l.here').textContent.startsWith('ERROR in the midst')")
	whole := b.observed()

	// Loaded later, the page has the end; the rest comes when it is looked for.
	b.open(fmt.Sprintf("/deployments/%d", id))
	if n := value[int](b, "document.querySelectorAll('.log .l').length"); n > 400 {
		t.Errorf("the page comes with %d lines", n)
	}
	b.run(chromedp.SendKeys(chromedp.ID("find"), "line 778 of"))
	b.until(20*time.Second, "it is found among all lines", fmt.Sprintf("found.value === '1/1' && document.querySelectorAll('.log .l').length >= %d", longLog))
	again := b.observed()
	t.Logf("longest task: %.0f ms while %d lines came, %.0f ms with search, %.0f ms when they are loaded at once", live.Busy, longLog, whole.Busy, again.Busy)
	const freeze = 1500 // ms; what people would call one, with room for a machine that has other things to do
	if live.Busy > freeze || whole.Busy > freeze || again.Busy > freeze {
		t.Errorf("the page did not react for %v, %v or %v ms", live.Busy, whole.Busy, again.Busy)
	}
	b.clean()
}

// TestWebPages looks at every page, in both widths and both colour schemes.
func TestWebPages(t *testing.T) {
	g := newGallery(t)
	b := newBrowser(t, g.url)
	b.signIn(apiToken)
	pages := g.pages()
	delete(pages, "trouble") // is an error in the console, as it should be
	var paints []float64
	for theme, width := range map[string]int64{"light": wide, "dark": narrow} {
		b.theme(theme)
		b.width(width)
		for name, path := range pages {
			b.open(path)
			if over := value[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s is %d px too wide at %d px, %s", name, over, width, theme)
			}
			if h := b.text("h1"); h == "" {
				t.Errorf("%s has no heading", name)
			}
			b.until(10*time.Second, "something is painted", "seen.paint > 0")
			paints = append(paints, b.observed().Paint)
		}
	}
	t.Log(painted(paints))
	b.width(wide)
	t.Run("an incident is read", func(t *testing.T) { readIncident(t, b, pages["incident"]) })
	t.Run("a load report is opened", func(t *testing.T) { openReport(t, b, pages["report"]) })
	t.Run("a link on another site leads to the page", func(t *testing.T) { followLink(t, b) })
	t.Run("keys lead everywhere", func(t *testing.T) { useKeys(t, b) })
	t.Run("pages stay still while things happen", func(t *testing.T) { stayStill(t, g, b) })
	b.clean()
}

// painted says how soon pages had something to see, in milliseconds.
func painted(paints []float64) string {
	slices.Sort(paints)
	n := len(paints)
	return fmt.Sprintf("%d pages were painted first after %.0f ms (median), %.0f ms (90 %%), %.0f ms (all)", n, paints[n/2], paints[n*9/10], paints[n-1])
}

// readIncident is about two goroutines that wait for each other's lock.
func readIncident(t *testing.T, b *browser, path string) {
	b.open("/incidents")
	if !strings.Contains(b.text("main table"), "stopped by a signal") {
		t.Errorf("the list says %q", b.text("main table"))
	}
	b.open(path)
	if verdict := b.text(".verdict-line"); !strings.Contains(verdict, "deadlock") || !strings.Contains(verdict, "mutex") {
		t.Errorf("the verdict is %q", verdict)
	}
	if locks := value[int](b, "document.querySelectorAll('#h-dump').length && [...document.querySelectorAll('details.group')].filter(d => d.innerText.includes('wait for mutex')).length"); locks < 2 {
		t.Errorf("goroutines are grouped by %d locks", locks)
	}
	if !strings.Contains(b.text("main"), "lab.(*pair).transfer (locks.go:") {
		t.Error("the frame is not named")
	}
	head := value[[]string](b, `fetch(document.querySelector('a[href$="/dump"]').href).then(async r => [r.headers.get('content-type'), r.headers.get('content-disposition'), await r.text()])`)
	if head[0] != "text/plain; charset=utf-8" || !strings.HasPrefix(head[1], "attachment;") || !strings.Contains(head[2], "goroutine ") {
		t.Errorf("the raw dump: %.100q", head)
	}
}

// openReport opens the page that the load tester made, which has scripts of its
// own: they may draw, and reach nothing of ours.
func openReport(t *testing.T, b *browser, path string) {
	b.open("/reports")
	if list := b.text("main table"); !strings.Contains(list, "FAIL: SLO") || !strings.Contains(list, "241ms") {
		t.Errorf("the list says %q", list)
	}
	b.open(path + "/report.html")
	b.until(10*time.Second, "it is there", "document.body.innerText.includes('webhook-storm')")
	if origin := value[string](b, "self.origin"); origin != "null" {
		t.Errorf("it has the origin %s", origin)
	}
}

// followLink comes from another site, to which the browser does not send our cookie.
func followLink(t *testing.T, b *browser) {
	b.run(chromedp.Navigate(strings.Replace(b.base, "127.0.0.1", "seadog.test", 1) + "/sign-in"))
	value[string](b, fmt.Sprintf("location.href = %q", b.base+"/deliveries?project=docs"))
	b.until(10*time.Second, "the page is there, and not the sign-in page", "location.pathname === '/deliveries' && document.querySelector('h1').innerText === 'Deliveries'")
}

func useKeys(t *testing.T, b *browser) {
	b.open("/")
	b.run(chromedp.KeyEvent("\t"))
	if first := value[string](b, "document.activeElement.className"); first != "skip" {
		t.Errorf("the first stop is %q, want the way past the navigation", first)
	}
	if width := value[string](b, "getComputedStyle(document.activeElement).outlineWidth"); width == "0px" {
		t.Error("the focus does not show")
	}
	b.run(chromedp.KeyEvent("?"))
	b.until(5*time.Second, "the keys are listed", "document.querySelector('#keys').matches(':popover-open')")
	b.run(chromedp.KeyEvent("\u001b"))
	b.until(5*time.Second, "and not any more", "!document.querySelector('#keys').matches(':popover-open')")
	b.run(chromedp.KeyEvent("/"))
	b.until(5*time.Second, "one can write", "document.activeElement.id === 'find'")
	value[string](b, "document.querySelector('#find').value = ''") // the key itself, which only this browser's driver types
	b.run(chromedp.KeyEvent("bill"))
	b.until(5*time.Second, "the list is filtered", "[...document.querySelectorAll('#part-projects tbody tr')].filter(r => !r.hidden).length === 1")
	b.run(chromedp.KeyEvent("\u001b"), chromedp.KeyEvent("g"), chromedp.KeyEvent("w"))
	b.until(10*time.Second, "one is among the workers", "location.pathname === '/workers'")
}

// stayStill lets a lot change under pages that are open.
func stayStill(t *testing.T, g *gallery, b *browser) {
	b.open("/workers")
	before := b.text("#part-pools")
	b.until(10*time.Second, "the scoreboard goes on", fmt.Sprintf("document.querySelector('#part-pools').innerText.trim() !== %q", before))
	b.open("/deliveries")
	b.until(10*time.Second, "the page listens", "performance.getEntriesByType('resource').length > 0 && document.readyState === 'complete'")
	g.mustPush("docs", "still", noCommit, g.heads["docs"])
	b.until(10*time.Second, "it says that there is more", "document.querySelector('[data-newest]:not([hidden])')")
	b.still()
	for _, width := range []int64{wide, narrow} {
		b.width(width)
		b.open("/")
		g.mustPush("wiki", fmt.Sprint("still", width), noCommit, g.heads["docs"])
		g.must("PUT", "/api/v1/projects/blog/lock", `{"reason":"`+fmt.Sprint(width)+`"}`)
		b.until(10*time.Second, "the overview shows it", "document.querySelector('#part-queue').innerText.includes('wiki') && document.querySelector('#part-projects').innerText.includes('locked')")
		b.still()
		g.must("DELETE", "/api/v1/projects/blog/lock", "")
	}
}
