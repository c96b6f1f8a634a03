package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/ledger"
)

// listed is a service that tells ids; each answer may be another one.
func listed(t *testing.T, answers ...string) string {
	t.Helper()
	var calls atomic.Int32
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(int(calls.Add(1)), len(answers))
		if r.URL.Query().Get("run") != "r1" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(answers[n-1]))
	})) + "/ids?run={{run}}"
}

func list(ids ...string) string {
	text, _ := json.Marshal(map[string]any{"run": map[string]any{"ids": 3}, "ids": ids})
	return string(text)
}

func TestAListOfIDsIsEnough(t *testing.T) {
	t.Parallel()
	push := id("r1", "pushes", 0)
	fine := loadtest.LedgerReport{Mode: "ids", Sent: 8, Accepted: 4, Rejected: 2, Unknown: 2, Found: 5, UnknownOK: 1}
	for name, c := range map[string]struct {
		ids    []string
		report func(*loadtest.LedgerReport)
		says   string
	}{
		"all is well":             {[]string{hook(0), hook(6), "other", hook(1), push, hook(3)}, nil, ""},
		"one is missing":          {[]string{hook(0), hook(1), push, hook(3)}, func(r *loadtest.LedgerReport) { r.Lost, r.Found = 1, 4 }, hook(6) + " (webhooks 6): lost"},
		"one is there twice":      {[]string{hook(0), hook(0), hook(0), hook(6), hook(1), push, hook(3)}, func(r *loadtest.LedgerReport) { r.Duplicate = 1 }, hook(0) + " (webhooks 0): processed more"},
		"a refused one is there":  {[]string{hook(0), hook(6), hook(1), push, hook(3), hook(4)}, func(r *loadtest.LedgerReport) { r.Refused, r.Found = 1, 6 }, hook(4) + " (webhooks 4): refused"},
		"ids that were not sent":  {[]string{hook(0), hook(6), hook(1), push, hook(3), hook(9), hook(7), hook(12)}, nil, ""},
		"of another run entirely": {[]string{id("r2", "webhooks", 0)}, func(r *loadtest.LedgerReport) { r.Lost, r.Found, r.UnknownOK = 4, 0, 0 }, hook(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, ledger.Config{Scenario: scenario(listed(t, list(c.ids...)), ledger.KindIDs), Patience: -1})
			for _, s := range samples() {
				l.Take(s)
			}
			want := fine
			if c.report != nil {
				c.report(&want)
			}
			got := l.Close(t.Context())
			if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(loadtest.LedgerReport{}, "Examples")); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if (c.says == "") != (len(got.Examples) == 0) || c.says != "" && !strings.HasPrefix(got.Examples[0], c.says) {
				t.Errorf("examples %q, want %q", got.Examples, c.says)
			}
		})
	}
}

func TestIDsMayTurnUpLate(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Scenario: scenario(listed(t, list(), list(hook(0))), ledger.KindIDs)})
	l.Take(answered(0, 202))
	if got := l.Close(t.Context()); got.Lost != 0 || got.Found != 1 || got.Error != "" {
		t.Errorf("got %+v", got)
	}
}

func TestAnswersThatAreNoListAreExplained(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`[]`: "[ where { belongs", `{"ids": 3}`: "3 where [ belongs", `{"id": []}`: `no "ids"`, `{"ids": [3]}`: "decode", `{"ids": ["a"`: "EOF", ``: "EOF",
	} {
		l := open(t, ledger.Config{Scenario: scenario(listed(t, text), ledger.KindIDs), Patience: -1})
		l.Take(answered(0, 202))
		if got := l.Close(t.Context()); !strings.Contains(got.Error, says) || got.Lost != 0 {
			t.Errorf("%q: %+v, want %q", text, got, says)
		}
	}
}

func TestCountersTellHowManyAndNotWhich(t *testing.T) {
	t.Parallel()
	// 4 ids were accepted; 2 repeats were, too, and 3 requests got no answer.
	for name, c := range map[string]struct {
		took            float64
		lost, duplicate uint64
		unknown         uint64
		fails           string
	}{
		"as many as were accepted":     {4, 0, 0, 0, ""},
		"repeats and unknown ones too": {9, 0, 0, 2, ""},
		"fewer":                        {2, 2, 0, 0, ""},
		"more than can be":             {11, 0, 2, 2, ""},
		"fewer than before":            {-1, 0, 0, 0, "fell from 10 to 9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value := 10.0
			l := open(t, ledger.Config{Scenario: scenario("", ""), Patience: -1, Counter: func(context.Context) (float64, error) { return value, nil }})
			for _, s := range samples() {
				l.Take(s)
			}
			value += c.took
			got := l.Close(t.Context())
			if got.Mode != "counters" || got.Lost != c.lost || got.Duplicate != c.duplicate || got.UnknownOK != c.unknown || !strings.Contains(got.Error, c.fails) || (c.fails == "") != (got.Error == "") {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("it rises late", func(t *testing.T) {
		t.Parallel()
		var calls float64
		l := open(t, ledger.Config{Scenario: scenario("", ""), Counter: func(context.Context) (float64, error) {
			if calls++; calls == 2 {
				return 0, errors.New("not now")
			}
			return calls, nil
		}})
		l.Take(answered(0, 202))
		l.Take(answered(1, 202))
		if got := l.Close(t.Context()); got.Lost != 0 || got.Error != "" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("it was not read before the run", func(t *testing.T) {
		t.Parallel()
		l, err := ledger.New(ledger.Config{Scenario: scenario("", ""), ID: id, Counter: func(context.Context) (float64, error) { return 0, errors.New("gone") }})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Open(t.Context()); err == nil {
			t.Error("opened")
		}
		if got := l.Close(t.Context()); !strings.Contains(got.Error, "before the run") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWithoutAListNothingIsClaimed(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Scenario: scenario("", "")})
	l.Take(answered(0, 202))
	if got := l.Close(t.Context()); got.Error == "" || got.Mode != "" || got.Accepted != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestANumberThatCannotBeIsNoMemory(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Scenario: scenario(listed(t, list()), ledger.KindIDs)})
	l.Take(answered(1<<63, 202))
	if got := l.Close(t.Context()); !strings.Contains(got.Error, "1 samples") {
		t.Errorf("got %+v", got)
	}
}

func TestClosingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer close(hold)
	for _, kind := range []string{ledger.KindSeadog, ledger.KindIDs} {
		l, err := ledger.New(ledger.Config{Scenario: scenario(url, kind), Run: "r1", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		l.Take(answered(0, 202))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if got := l.Close(ctx); got.Error == "" {
			t.Errorf("%s: got %+v", kind, got)
		}
		cancel()
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config ledger.Config
		says   string
	}{
		"nothing":         {ledger.Config{}, "scenario"},
		"no ids":          {ledger.Config{Scenario: scenario("", "")}, "function for ids"},
		"an unknown kind": {ledger.Config{Scenario: scenario("http://x/", "csv"), ID: id}, `"csv"; use seadog or ids`},
		"no address":      {ledger.Config{Scenario: scenario("/api/v1/deliveries", ""), ID: id}, "for example http://"},
	} {
		if _, err := ledger.New(c.config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// heap returns the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestTenMillionIDsFitIntoThreeMegabytes is not parallel: it measures memory.
func TestTenMillionIDsFitIntoThreeMegabytes(t *testing.T) {
	const n = 10_000_000
	before := heap()
	l := open(t, ledger.Config{Scenario: scenario("", "")})
	s := answered(0, 202)
	for seq := range uint64(n) {
		s.Seq, s.Of = seq, seq
		l.Take(s)
	}
	if grown := int64(heap()) - int64(before); grown > 3_000_000 {
		t.Errorf("%d ids took %d bytes", n, grown)
	}
	if got := l.Close(t.Context()); got.Accepted != n {
		t.Errorf("accepted %d", got.Accepted)
	}
}

// BenchmarkClose balances 100,000 deliveries, 500 a page, of a service that answers at once.
func BenchmarkClose(b *testing.B) {
	const n = 100_000
	s := &service{}
	for seq := range uint64(n) {
		s.push(hook(seq), queued(1))
	}
	pages := map[string][]byte{}
	for before := int64(-1); before != 0; {
		rows, next := cut(s.deliveries, func(d delivery) int64 { return d.ID }, max(before, 0), 500)
		key := strconv.FormatInt(before, 10)
		if before < 0 {
			key = ""
		}
		pages[key], _ = json.Marshal(map[string]any{"deliveries": rows, "next": next})
		before = next
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/deliveries" {
			_, _ = io.WriteString(w, `{"deployments":[{"id":1,"status":"succeeded"}]}`)
			return
		}
		_, _ = w.Write(pages[r.URL.Query().Get("before")])
	}))
	defer server.Close()
	for b.Loop() {
		l, err := ledger.New(ledger.Config{Scenario: scenario(server.URL+"/deliveries", ""), Run: "r1", ID: id})
		if err != nil {
			b.Fatal(err)
		}
		for seq := range uint64(n) {
			l.Take(answered(seq, 202))
		}
		if got := l.Close(b.Context()); got.Found != n || got.Lost != 0 || got.Error != "" {
			b.Fatalf("got %+v", got)
		}
	}
}

// BenchmarkTake is what a sample costs the sender.
func BenchmarkTake(b *testing.B) {
	l, err := ledger.New(ledger.Config{Scenario: scenario("", ""), ID: id})
	if err != nil {
		b.Fatal(err)
	}
	s := answered(0, 202)
	for b.Loop() {
		s.Seq++
		l.Take(s)
	}
}
