package lab

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog/lock"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// plain is the application without anything that watches, in this process.
func plain(t *testing.T, c Config) *fiber.App {
	t.Helper()
	var h *hooks
	if c.Database != "" {
		var err error
		if h, err = openHooks(t.Context(), c.Database, quiet); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.close(); err != nil {
				t.Error(err)
			}
		})
	}
	return newApp(t.Context(), nil, c, lock.New(), h)
}

func ask(t *testing.T, f *fiber.App, req *http.Request) (status int, body string, header http.Header) {
	t.Helper()
	res, err := f.Test(req, int(patience/time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

func get(t *testing.T, f *fiber.App, path string) (int, string) {
	t.Helper()
	status, body, _ := ask(t, f, httptest.NewRequest("GET", path, nil))
	return status, body
}

func TestHealthNamesTheProcess(t *testing.T) {
	t.Parallel()
	status, body, header := ask(t, plain(t, Config{}), httptest.NewRequest("GET", "/health", nil))
	if status != 200 || body != "ok" || header.Get("X-Pid") != strconv.Itoa(os.Getpid()) {
		t.Errorf("%d %q %v", status, body, header)
	}
}

func TestEchoReturnsTheBody(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 5<<20)
	status, got, _ := ask(t, plain(t, Config{}), httptest.NewRequest("POST", "/echo", strings.NewReader(body)))
	if status != 200 || got != body {
		t.Errorf("%d, %d bytes", status, len(got))
	}
}

func TestFaultsNoteThatTheyBegan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := plain(t, Config{Faults: dir})
	before := time.Now().Add(-time.Millisecond)
	if status, _ := get(t, f, "/sleep?s=0.01&id=a.b-1"); status != 200 {
		t.Fatal(status)
	}
	text, err := os.ReadFile(filepath.Join(dir, "a.b-1"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var at float64
	if _, err := fmt.Sscanf(string(text), "%d %f\n", &pid, &at); err != nil || pid != os.Getpid() {
		t.Fatalf("note %q: %v", text, err)
	}
	if began := time.UnixMicro(int64(at * 1e6)); began.Before(before) || began.After(time.Now()) {
		t.Errorf("began %s, between %s and now", began, before)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left: %v", len(files), err)
	}
}

func TestNotesStayInTheirDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inner := filepath.Join(dir, "faults")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	f := plain(t, Config{Faults: inner})
	for _, id := range []string{"..%2Fx", ".", "..", ".note-1", "a%2Fb", "%00", "-x", strings.Repeat("x", 65), "a%0Ab"} {
		if status, _ := get(t, f, "/sleep?s=0&id="+id); status != 400 {
			t.Errorf("id %s: %d", id, status)
		}
	}
	for _, d := range []string{dir, inner} {
		files, err := os.ReadDir(d)
		if err != nil || len(files) != 1 && d == dir || len(files) != 0 && d == inner {
			t.Errorf("%s: %v %v", d, files, err)
		}
	}
}

func TestFaultsThatEndAreAnswered(t *testing.T) {
	t.Parallel()
	f := plain(t, Config{})
	for path, want := range map[string]string{
		"/sleep?s=0.01": "slept", "/spin?s=0.01": "spun", "/cspin?s=0.01": "spun",
		"/leak?mb=1": "leaked", "/burn?ms=5": "burned", "/hot?s=0.05": "heated", "/blackhole": "through", "/lease?s=0.01": "leased",
	} {
		if status, body := get(t, f, path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for _, path := range []string{
		"/sleep?s=x", "/sleep?s=-1", "/sleep?s=1e99", "/sleep?s=NaN", "/leak?mb=-1", "/leak?mb=5000", "/burn?ms=x", "/hot?s=x", "/lease?s=x",
	} {
		if status, _ := get(t, f, path); status != 400 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := get(t, f, "/nothing"); status != 404 {
		t.Errorf("/nothing: %d", status)
	}
}

func TestBurningTakesAsLongAsWasAsked(t *testing.T) {
	t.Parallel()
	f := plain(t, Config{})
	begin := time.Now()
	if status, _ := get(t, f, "/burn?ms=200"); status != 200 {
		t.Fatal(status)
	}
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestAStreamTicksUntilTheProcessGoes(t *testing.T) {
	t.Parallel()
	intake, drain := context.WithCancel(t.Context())
	f := newApp(intake, nil, Config{}, lock.New(), nil)
	time.AfterFunc(350*time.Millisecond, drain)
	status, body := get(t, f, "/stream?s=60")
	if status != 200 || strings.Count(body, "data: ") < 2 || !strings.HasSuffix(body, "retry: 100\n\n") {
		t.Errorf("%d %q", status, body)
	}
}

func TestTrackedLocksDeadlockAndComeLoose(t *testing.T) {
	t.Parallel()
	intake, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	graph := lock.New()
	f := newApp(intake, nil, Config{}, graph, nil)
	answered := make(chan int, 1)
	go func() {
		status, _ := get(t, f, "/lockorder")
		answered <- status
	}()
	eventually(t, "each waits for the other's lock", func() bool {
		waiting := 0
		for _, s := range graph.States() {
			waiting += len(s.Waiters)
		}
		return waiting == 2
	})
	giveUp()
	// One of both gives up first, and may leave the other its lock.
	if status := <-answered; status != 500 && status != 200 {
		t.Errorf("given up, and answered %d", status)
	}
	for _, s := range graph.States() {
		t.Errorf("still waited for: %+v", s)
	}
}

func TestALeaseComesBackWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	intake, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	f := newApp(intake, nil, Config{}, lock.New(), nil)
	answers := make(chan int, leases+1)
	for range leases + 1 { // one more than there are
		go func() {
			status, _ := get(t, f, "/lease?s=60")
			answers <- status
		}()
	}
	giveUp()
	for range leases + 1 {
		if status := <-answers; status != 503 {
			t.Errorf("given up, and answered %d", status)
		}
	}
}

func sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func post(body []byte, signature string) *http.Request {
	req := httptest.NewRequest("POST", "/webhook", bytes.NewReader(body))
	req.Header.Set("X-Hub-Signature-256", signature)
	req.Header.Set("X-GitHub-Delivery", "d1")
	return req
}

func TestOnlySignedHooksAreStored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hooks.db")
	f := plain(t, Config{Database: path})
	body := []byte("no JSON \x00\xff")
	for signature, want := range map[string]int{
		sign(body, "lab-secret"):                   200,
		sign(body, "another"):                      401,
		sign([]byte("another body"), "lab-secret"): 401,
		sign(body, "lab-secret")[7:]:               401,
		"sha256=":                                  401,
		"":                                         401,
	} {
		if status, _, _ := ask(t, f, post(body, signature)); status != want {
			t.Errorf("signature %q: %d, want %d", signature, status, want)
		}
	}
	if diff := cmp.Diff([]string{string(body)}, stored(t, path)); diff != "" {
		t.Error(diff)
	}
	if status, _, _ := ask(t, plain(t, Config{}), post(body, sign(body, "lab-secret"))); status != 404 {
		t.Errorf("without a database: %d", status)
	}
}

func stored(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "select body from hooks order by body")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var bodies []string
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(b))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return bodies
}

// TestWritersOfOneFileLoseNothing has two stores, as two workers have.
func TestWritersOfOneFileLoseNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hooks.db")
	const each = 200
	var want []string
	var wg sync.WaitGroup
	for worker := range 2 {
		h, err := openHooks(t.Context(), path, quiet)
		if err != nil {
			t.Fatal(err)
		}
		for i := range each {
			body := fmt.Sprintf("%d-%03d", worker, i)
			want = append(want, body)
			wg.Go(func() {
				if err := h.store("d", []byte(body)); err != nil {
					t.Error(err)
				}
			})
		}
		defer func() {
			if err := h.close(); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if diff := cmp.Diff(want, stored(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestAFullDiskIsNoAnswerOf200(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hooks.db")
	f := plain(t, Config{Database: path})
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "create trigger full before insert on hooks begin select raise(abort, 'full'); end"); err != nil {
		t.Fatal(err)
	}
	body := []byte("x")
	if status, _, _ := ask(t, f, post(body, sign(body, "lab-secret"))); status != 503 {
		t.Errorf("%d, want 503", status)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := Config{Listen: "127.0.0.1:0", Data: "/data", Log: quiet, Args: []string{"lab"}}
	if err := good.Validate(); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"no address":      func(c *Config) { c.Listen = "" },
		"no data":         func(c *Config) { c.Data = "" },
		"no logger":       func(c *Config) { c.Log = nil },
		"no arguments":    func(c *Config) { c.Args = nil },
		"number of work":  func(c *Config) { c.Workers = -1 },
		"negative durati": func(c *Config) { c.Mercy = -1 },
		"negative size":   func(c *Config) { c.MaxRSS = -1 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
