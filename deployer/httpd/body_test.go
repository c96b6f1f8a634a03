package httpd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

const mib = 1 << 20

// bigPush is a push whose body has exactly n bytes.
func bigPush(n int) []byte {
	head := `{"ref":"refs/heads/main","before":"` + commitA + `","after":"` + commitB + `","repository":{"full_name":"acme/web"},"pad":"`
	return []byte(head + strings.Repeat("x", n-len(head)-2) + `"}`)
}

func TestBodiesUpToTheLimitAreTakenAndLargerOnesRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, test := range map[string]struct {
		size, status int
		chunked      bool
	}{
		"8 KiB":                            {8 << 10, 202, false},
		"8 KiB and a byte":                 {8<<10 + 1, 202, false},
		"64 KiB":                           {64 << 10, 202, false},
		"64 KiB and a byte":                {64<<10 + 1, 202, false},
		"25 MiB":                           {25 * mib, 202, false},
		"26 MiB":                           {26 * mib, 202, false},
		"26 MiB and a byte":                {26*mib + 1, 413, false},
		"64 KiB of unknown length":         {64 << 10, 202, true},
		"64 KiB and one of unknown length": {64<<10 + 1, 202, true},
		"26 MiB of unknown length":         {26 * mib, 202, true},
		"26 MiB and one of unknown length": {26*mib + 1, 413, true},
	} {
		t.Run(name, func(t *testing.T) {
			body := bigPush(test.size)
			var r io.Reader = bytes.NewReader(body)
			if test.chunked {
				r = io.MultiReader(r) // hides the length
			}
			a := s.do("POST", "/hooks/gh", r, "Content-Type", "application/json",
				"X-GitHub-Event", "push", "X-Hub-Signature-256", sign(body))
			if a.status != test.status {
				t.Fatalf("got %s, want %d", a, test.status)
			}
			if test.status == 413 && a.problem(t).Error.Code != deployer.CodeTooLarge {
				t.Errorf("got %s", a)
			}
		})
	}
}

func TestABodyTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.dial()
	fmt.Fprintf(c, "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 26*mib+1, strings.Repeat("x", 8<<10))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 413 || !res.Close {
		t.Errorf("got %s, close %v; want 413 and a connection that closes", res.Status, res.Close)
	}
}

func TestAnUnknownHookDoesNotGetItsBodyRead(t *testing.T) {
	t.Parallel()
	s := start(t)
	// A client that sends all of it before it reads must still get the answer.
	a := s.do("POST", "/hooks/nope", bytes.NewReader(make([]byte, 20*mib)))
	if a.status != 404 || a.header.Get("Connection") != "" && a.header.Get("Connection") != "close" {
		t.Errorf("got %s", a)
	}
}

func TestWhatIsLeftOfABodyIsNeverTakenForARequest(t *testing.T) {
	t.Parallel()
	s := start(t)
	smuggled := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	pad := strings.Repeat(" ", 8<<10)
	for name, request := range map[string]string{
		"known length":   fmt.Sprintf("POST /hooks/nope HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", len(pad)+len(smuggled), pad, smuggled),
		"chunked":        fmt.Sprintf("POST /hooks/nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled),
		"unknown path":   fmt.Sprintf("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", len(pad)+len(smuggled), pad, smuggled),
		"body of a GET":  fmt.Sprintf("GET /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", len(pad)+len(smuggled), pad, smuggled),
		"unknown method": fmt.Sprintf("BREW /pot HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s%s", len(pad)+len(smuggled), pad, smuggled),
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			all, _ := io.ReadAll(c)
			if n := bytes.Count(all, []byte("HTTP/1.1 ")); n != 1 {
				t.Errorf("%d answers to one request:\n%s", n, all)
			}
		})
	}
}

func TestASlowBodyCostsItsSenderTheConnection(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) {
		c.Limits.BodyTimeout, c.Limits.HeaderTimeout = 600*time.Millisecond, 300*time.Millisecond
	})
	for name, sent := range map[string]string{
		"nothing":             "",
		"half a header":       "POST /hooks/gh HTTP/1.1\r\nHost: x\r\n",
		"no body":             "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
		"half a body":         "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 9000),
		"half a big body":     "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + strings.Repeat("x", 90000),
		"half a chunked body": "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc",
		"half a body for a PUT": "PUT /api/v1/projects/web/lock HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + deployToken +
			"\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat(" ", 9000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := s.dial()
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			all, _ := io.ReadAll(c) // returns when the server closes
			if len(all) > 0 && !bytes.HasPrefix(all, []byte("HTTP/1.1 4")) {
				t.Errorf("got %s", all)
			}
			if strings.Contains(name, "body") && !bytes.HasPrefix(all, []byte("HTTP/1.1 408")) {
				t.Errorf("got %q, want 408", all)
			}
		})
	}
}

func TestABodyMayBeAnnouncedWithExpect(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := bigPush(300 << 10)
	req, err := http.NewRequest("POST", s.url+"/hooks/gh", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"Expect": "100-continue", "X-GitHub-Event": "push", "Content-Type": "application/json", "X-Hub-Signature-256": sign(body),
	} {
		req.Header.Set(k, v)
	}
	transport := &http.Transport{ExpectContinueTimeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 202 {
		t.Errorf("got %s, want 202", res.Status)
	}
}

// TestMemoryStaysBoundedUnderAFloodOfBigBodies: 300 strangers send 26 MiB each
// (7.8 GB) to a server that may hold 64 MiB.
func TestMemoryStaysBoundedUnderAFloodOfBigBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short, which the race detector runs with, whose own memory would be counted")
	}
	const budget, strangers = 64 * mib, 300
	s := start(t, func(c *httpd.Config) {
		c.Limits.BodyBudget, c.Limits.BodyWait = budget, 2*time.Second
	})
	junk := make([]byte, 26*mib)
	debug.FreeOSMemory()
	before := resident(t)
	statuses := make(chan int, strangers)
	var wg sync.WaitGroup
	for range strangers {
		wg.Go(func() {
			req, err := http.NewRequest("POST", s.url+"/hooks/gh", bytes.NewReader(junk))
			if err != nil {
				t.Error(err)
				return
			}
			res, err := s.client.Do(req)
			if err != nil {
				statuses <- 0
				return
			}
			defer res.Body.Close()
			_, _ = io.Copy(io.Discard, res.Body)
			statuses <- res.StatusCode
		})
	}
	var highest int64
	var answered int
	var slowest time.Duration
	var over atomic.Bool
	go func() { wg.Wait(); over.Store(true) }()
	for !over.Load() {
		began := time.Now()
		if a := s.do("GET", "/healthz", nil); a.status != 200 {
			t.Errorf("healthz: %s", a)
		}
		if a := s.deliver("push", fmt.Sprint("id-", answered), push("refs/heads/main", commitA, commitB)); a.status != 202 {
			t.Errorf("a genuine push: %s", a)
		}
		slowest = max(slowest, time.Since(began))
		answered++
		highest = max(highest, resident(t))
	}
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	grown := highest - before
	t.Logf("answers %v; the process grew by %d MiB; %d pushes meanwhile, the slowest took %s", count, grown/mib, answered, slowest)
	// The budget, the one copy that all senders send, and what 300 connections need at both ends.
	if limit := int64(budget + 26*mib + 64*mib); grown > limit {
		t.Errorf("the process grew by %d MiB, want at most %d", grown/mib, limit/mib)
	}
	if count[202] > 0 || count[200] > 0 || count[401] == 0 {
		t.Errorf("got %v, want refusals", count)
	}
	if answered == 0 {
		t.Error("nothing else was answered meanwhile")
	}
}

// resident is the memory of this process in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestTheBudgetIsGivenBack(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Limits.BodyBudget, c.Limits.BodyWait = 30*mib, time.Second })
	for i := range 12 {
		var r io.Reader = bytes.NewReader(make([]byte, 20*mib))
		if i%2 == 1 {
			r = io.MultiReader(r)
		}
		if a := s.do("POST", "/hooks/gh", r); a.status != 401 {
			t.Fatalf("body %d: got %s, want 401", i, a)
		}
		c := s.dial() // cut off in the middle
		fmt.Fprintf(c, "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 20*mib, strings.Repeat("x", 100<<10))
		_ = c.Close()
	}
}

func TestThousandsOfIdleConnectionsKeepNobodyOut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes eight thousand descriptors")
	}
	const idle = 4000 // both ends are in this process; the usual limit is 20,000 or more descriptors
	s := start(t)
	for range idle {
		s.dial()
	}
	if a := s.do("GET", "/healthz", nil); a.status != 200 {
		t.Errorf("got %s", a)
	}
}

// dial opens a raw connection, closed when the test ends.
func (s *service) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}
