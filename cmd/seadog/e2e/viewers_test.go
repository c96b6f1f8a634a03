package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// BenchmarkViewers lets 200 browsers follow one log at 2,000 lines per second,
// and holds the time that the deployment takes against that of one that nobody
// looks at. The bars: at most 5 % longer, and less than 150 MB for each HTTP worker.
func BenchmarkViewers(b *testing.B) {
	if image == "" {
		b.Skip("SKIPPED: no Docker Engine answers; run make bootstrap")
	}
	const viewers = 200
	f := newFake(b, "site/build=paced")
	r := fakeProject(b)
	s := newService(b, map[string]string{"site": entry(r.dir, "steps: {grace: 1s}")}, "")
	s.env = f.env()
	s.start()
	for range b.N {
		alone := s.watched(b, r, 0)
		watched := s.watched(b, r, viewers)
		slower := 100 * (watched.took.Seconds()/alone.took.Seconds() - 1)
		b.ReportMetric(alone.took.Seconds(), "s-alone")
		b.ReportMetric(watched.took.Seconds(), "s-watched")
		b.ReportMetric(slower, "%-slower")
		b.ReportMetric(float64(watched.rss)/1e6, "MB-worker")
		b.ReportMetric(float64(watched.pss)/1e6, "MB-service")
		b.ReportMetric(float64(watched.lines)/viewers, "lines/viewer")
		b.ReportMetric(watched.late.Seconds(), "s-behind")
		if slower > 5 || watched.rss > 150e6 {
			b.Errorf("the deployment was %.1f %% slower, a worker had %d MB; the bars are 5 %% and 150 MB", slower, watched.rss/1e6)
		}
		if want := int64(pacedLines * viewers); watched.lines < want {
			b.Errorf("the viewers saw %d lines, want %d", watched.lines, want)
		}
	}
}

// run is what one deployment did.
type run struct {
	took     time.Duration // of the step that prints
	rss, pss int64         // bytes: of the largest HTTP worker, and of the whole service
	lines    int64         // that all viewers saw together
	late     time.Duration // from the end of the step to the moment when the last viewer had its last line
}

// watched deploys, followed by so many viewers.
func (s *service) watched(t testing.TB, r *repository, viewers int) run {
	t.Helper()
	before, head := r.commit(map[string]string{"n": fmt.Sprint(time.Now())})
	id := s.mustPush("site", head, before, head)
	var seen atomic.Int64
	var all sync.WaitGroup
	jar := s.session(t)
	for range viewers {
		all.Go(func() { seen.Add(s.look(t, jar, id)) })
	}
	var result run
	s.eventually(2*time.Minute, "it is over", func() bool {
		rss, pss := s.memory()
		result.rss, result.pss = max(result.rss, rss), max(result.pss, pss)
		d, err := s.api.Deployment(context.Background(), id)
		return err == nil && d.Status.Final()
	})
	all.Wait()
	gone := time.Now()
	d := s.over(id, time.Second)
	for _, step := range d.Steps {
		if step.Step == deployer.StepBuild && step.FinishedAt != nil {
			result.took, result.late = step.FinishedAt.Sub(step.StartedAt), gone.Sub(*d.FinishedAt)
		}
	}
	result.lines = seen.Load()
	return result
}

// session signs in.
func (s *service) session(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, s.url+"/sign-in", strings.NewReader(url.Values{"token": {apiToken}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.url)
	client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign in: %s", res.Status)
	}
	return jar
}

// look follows a deployment to its end, as a page does, and returns how many
// lines came.
func (s *service) look(t testing.TB, jar http.CookieJar, id int64) (lines int64) {
	client := http.Client{Jar: jar, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	last := ""
	for {
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/deployments/%d/live", s.url, id), nil)
		if err != nil {
			t.Error(err)
			return lines
		}
		req.Header.Set("Accept", "text/event-stream")
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		res, err := client.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("follow: %v %v", res, err)
			return lines
		}
		in := bufio.NewReaderSize(res.Body, 256<<10)
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				break // dropped: it comes back
			}
			text := string(line[:min(len(line), 64)])
			switch {
			case strings.HasPrefix(text, "id: "):
				last = strings.TrimSpace(text[4:])
			case strings.HasPrefix(text, `data: [["`):
				lines += int64(strings.Count(string(line), `","o","`))
			case strings.HasPrefix(text, "event: end"):
				res.Body.Close()
				return lines
			}
		}
		res.Body.Close()
	}
}

// memory returns the resident set of the largest HTTP worker, and the
// proportional set of all processes of the service.
func (s *service) memory() (rss, pss int64) {
	for _, pid := range append(s.workers(""), s.cmd.Process.Pid) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		pss += kilobytes(string(text), "Pss:")
	}
	for _, pid := range s.workers("worker http") {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		rss = max(rss, kilobytes(string(text), "VmRSS:"))
	}
	return rss, pss
}

func kilobytes(text, name string) int64 {
	_, rest, _ := strings.Cut(text, "\n"+name)
	var n int64
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return 0
	}
	return n << 10
}
