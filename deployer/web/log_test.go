package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// withLog is a deployment that failed in its build, with so many lines.
func withLog(s *service, lines int) int64 {
	s.t.Helper()
	id := s.push("web", "new")
	s.begin("web")
	ctx := context.Background()
	var text []string
	for i := range lines {
		line := fmt.Sprintf("line %d of the build", i)
		if i == lines/2 {
			line = "ERROR: the first of them"
		}
		if i == lines-1 {
			line = "error: the last"
		}
		text = append(text, line)
	}
	for _, step := range []deployer.Step{deployer.StepFetch, deployer.StepBuild} {
		run := deployer.StepRun{Step: step, StartedAt: time.Now()}
		s.must(s.store.Report(ctx, id, s.owner, deployer.Progress{Step: &run}))
		if step == deployer.StepFetch {
			s.print(id, step, "fetching: no error")
		} else {
			s.print(id, step, text...)
			run.Error = "build exited with 1"
		}
		now := time.Now()
		run.FinishedAt = &now
		s.must(s.store.Report(ctx, id, s.owner, deployer.Progress{Step: &run}))
	}
	s.finish(id, deployer.Failed, "build exited with 1")
	return id
}

func TestALogIsReadableWithoutScript(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	const lines = 2000
	id := withLog(s, lines)
	v := s.signedIn(readToken)
	path := fmt.Sprintf("/deployments/%d", id)
	page := v.page(path).body
	if !strings.Contains(page, "error: the last") || strings.Contains(page, "line 0 of") || strings.Contains(page, `id="later"`) {
		t.Error("the page does not begin at the end of the log")
	}
	// Back to the beginning, page by page.
	linkRE := regexp.MustCompile(`id="earlier"><a href="([^"]+)#log"`)
	pages := 1
	for {
		link := linkRE.FindStringSubmatch(page)
		if link == nil {
			break
		}
		page = v.page(strings.ReplaceAll(link[1], "&amp;", "&")).body
		pages++
	}
	if !strings.Contains(page, "fetching: no error") || !strings.Contains(page, "line 0 of") || pages < lines/300 {
		t.Errorf("after %d pages the beginning is not there", pages)
	}
	// And forward again.
	laterRE := regexp.MustCompile(`id="later"><a href="([^"]+)#log"`)
	for link := laterRE.FindStringSubmatch(page); link != nil; link = laterRE.FindStringSubmatch(page) {
		page = v.page(link[1]).body
		pages--
	}
	if !strings.Contains(page, "error: the last") {
		t.Error("the way forward does not lead to the end")
	}
}

func TestTheFirstErrorOfTheStepThatFailedIsFound(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	id := withLog(s, 2000)
	v := s.signedIn(readToken)
	page := v.page(fmt.Sprintf("/deployments/%d?at=error", id)).body
	found := regexp.MustCompile(`class="l a here" id="l([^"]+)"[^>]*>([^<]*)<`).FindStringSubmatch(page)
	if found == nil || found[2] != "ERROR: the first of them" || !strings.Contains(page, `data-at="`+found[1]+`"`) {
		t.Errorf("found %q", found)
	}
	healthy := s.deployed("docs", "fine", deployer.Succeeded)
	if page := v.page(fmt.Sprintf("/deployments/%d", healthy)).body; !strings.Contains(page, `?at=error#log" hidden`) {
		t.Error("where nothing failed an error is offered")
	}
}

func TestALogIsSearched(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	id := withLog(s, 2000)
	v := s.signedIn(readToken)
	for text, want := range map[string]string{"LINE 77 OF": "1 line with", "error": "3 lines with", "<b>": "0 lines with", "of the build": "1998 lines with"} {
		page := v.page(fmt.Sprintf("/deployments/%d?find=%s", id, url.QueryEscape(text))).body
		if !strings.Contains(page, want) {
			t.Errorf("%s: not %s", text, want)
		}
	}
}

func TestALogIsGivenToScriptsAndFiles(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	id := withLog(s, 2000)
	v := s.signedIn(readToken)
	base := fmt.Sprintf("/deployments/%d", id)
	first := regexp.MustCompile(`data-first="([^"]+)"`).FindStringSubmatch(v.page(base).body)[1]
	a := v.page(base + "/log?from=0:0&to=" + first)
	var rows [][5]string
	for line := range strings.Lines(a.body) {
		var some [][5]string
		s.must(json.Unmarshal([]byte(line), &some))
		rows = append(rows, some...)
	}
	if len(rows) != 2001-300 || rows[0][4] != "fetching: no error" || rows[len(rows)-1][0] != first {
		t.Errorf("%d lines up to %s, the last at %s", len(rows), first, rows[len(rows)-1][0])
	}
	text := v.page(base + "/log.txt")
	if n := strings.Count(text.body, "\n"); n != 2001 || !strings.Contains(text.body, " build ERROR: the first of them\n") {
		t.Errorf("%d lines in the file", n)
	}
	if d := text.header.Get("Content-Disposition"); d != fmt.Sprintf(`attachment; filename="web-%d.log"`, id) {
		t.Errorf("it is called %s", d)
	}
}

func TestAHugeLineDoesNotMakeAHugePage(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	id := s.push("web", "new")
	s.begin("web")
	var lines []string
	for range 60 {
		lines = append(lines, strings.Repeat("é", 50_000))
	}
	s.print(id, deployer.StepBuild, lines...)
	for _, query := range []string{"", "?from=0:0", "?find=é"} {
		if page := s.signedIn(readToken).page(fmt.Sprintf("/deployments/%d%s", id, query)).body; len(page) > 100<<10 || !strings.Contains(page, "éé …") {
			t.Errorf("%q: %d bytes", query, len(page))
		}
	}
}
