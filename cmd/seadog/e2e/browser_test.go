package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// needChromium skips the test loudly without a browser, and fails it where one is required.
func needChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium; run make bootstrap")
	}
	t.Skip("SKIPPED: there is no Chromium; run make bootstrap")
	return ""
}

// browser is one tab of a headless Chromium with a profile of its own. It
// notes what no page of ours may do.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string // URL of the service

	mu     sync.Mutex
	faults []string
}

// narrow and wide are the widths that every page must work at.
const (
	narrow = 390
	wide   = 1440
)

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	path := needChromium(t)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP seadog.test 127.0.0.1"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	b := &browser{t: t, base: base}
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(b.listen))
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // returns when the browser is gone, so that its profile can be removed
		cancel()
	})
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // starts it
		t.Fatalf("start %s: %v", path, err)
	}
	for _, err := range []error{
		enable(ctx, network.Enable, network.EnableParams{}), enable(ctx, log.Enable, chromedp.Void{}), enable(ctx, runtime.Enable, chromedp.Void{}),
	} {
		if err != nil {
			t.Fatalf("listen to the browser: %v", err)
		}
	}
	if err := enable(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: observers}); err != nil {
		t.Fatalf("observe the browser: %v", err)
	}
	b.width(wide)
	return b
}

// observers note what a page does to people: how much it moves under their
// eyes, for how long it does not react, and how soon there is something to see.
const observers = `
	window.seen = {shift: 0, moved: [], busy: 0, paint: 0}
	new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) {
		seen.shift += e.value
		for (const s of e.sources || []) if (s.node) seen.moved.push((s.node.id || s.node.className || s.node.nodeName || s.node.data) + ' ' + JSON.stringify([s.previousRect, s.currentRect]))
	} }).observe({type: 'layout-shift', buffered: true})
	new PerformanceObserver((l) => { for (const e of l.getEntries()) seen.busy = Math.max(seen.busy, e.duration) }).observe({type: 'longtask', buffered: true})
	new PerformanceObserver((l) => { for (const e of l.getEntries()) if (e.name === 'first-contentful-paint') seen.paint = e.startTime }).observe({type: 'paint', buffered: true})
`

func enable[P, R any](ctx context.Context, cmd cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(ctx, cmd, params)
	return err
}

// listen notes errors in the console and requests to others.
func (b *browser) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.fault("console: %s %s", e.Type, e.Args[0].Value)
		}
	case *runtime.EventExceptionThrown:
		b.fault("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.fault("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "data" && u.Hostname() != "127.0.0.1" && u.Hostname() != "seadog.test" {
			b.fault("request to %s", e.Request.URL)
		}
	}
}

func (b *browser) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// clean requires that nothing was noted that no page may do.
func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Error(f)
	}
}

// run does something in the browser.
func (b *browser) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v\n%s", err, b.where())
	}
}

// where describes the page, for failures.
func (b *browser) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText.slice(0, 2000)"))
	return text
}

// width sets the width of the window.
func (b *browser) width(width int64) {
	b.t.Helper()
	const height = 900
	if width < wide/2 {
		b.run(chromedp.EmulateViewport(width, height, chromedp.EmulateMobile))
		return
	}
	b.run(chromedp.EmulateViewport(width, height))
}

// theme lets the system prefer a colour scheme.
func (b *browser) theme(name string) {
	b.t.Helper()
	feature := emulation.MediaFeature{Name: "prefers-color-scheme", Value: name}
	if err := enable(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{&feature}}); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.base + path))
}

// signIn signs in with a token, through the page.
func (b *browser) signIn(token string) {
	b.t.Helper()
	b.open("/")
	b.run(chromedp.SendKeys(chromedp.ID("token"), token))
	b.click("form .button.main")
	b.until(10*time.Second, "signed in", "document.querySelector('nav[aria-label=Pages]')")
}

// click clicks an element like a person does: it has to be in sight and uncovered.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// value returns the value of an expression; promises are waited for.
func value[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %s: %v\n%s", expression, err, b.where())
	}
	return v
}

// observed is what the observers noted since the page was loaded.
type observed struct {
	Shift float64  `json:"shift"` // the sum of all layout shifts without input
	Moved []string `json:"moved"`
	Busy  float64  `json:"busy"`  // longest task, ms; 0 if none took 50
	Paint float64  `json:"paint"` // first contentful paint, ms
}

func (b *browser) observed() observed {
	b.t.Helper()
	return value[observed](b, "seen")
}

// still requires that nothing has moved since the page was loaded but by input.
// Text that is a tenth of a pixel wider than the one before counts for something, too.
func (b *browser) still() {
	b.t.Helper()
	const imperceptible = 0.0005
	if o := b.observed(); o.Shift > imperceptible {
		b.t.Errorf("%s moved by itself: %.4f, %q", value[string](b, "location.pathname"), o.Shift, o.Moved)
	}
}

// text returns what an element says, "" if it is not there.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(value[string](b, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
}

// until waits for an expression to become true, over navigations too.
func (b *browser) until(within time.Duration, what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, within)
	defer cancel()
	if !await(within, func() bool {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		return err == nil && ok
	}) {
		b.t.Fatalf("not within %s: %s\n%s", within, what, b.where())
	}
}

// screenshot takes what is in the window, or the whole page.
func (b *browser) screenshot(file string, whole bool) {
	b.t.Helper()
	res, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole, FromSurface: ptr(true)})
	if err != nil {
		b.t.Fatalf("screenshot: %v", err)
	}
	if err := os.WriteFile(file, res.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }
