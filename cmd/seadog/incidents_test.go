package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

var noticed = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// deadlockedWorker is an incident with everything in it.
func deadlockedWorker() watchdog.Incident {
	i := watchdog.Incident{
		ID: "1kd9q2a7f3c0e", Time: noticed, Severity: watchdog.Killing, Reason: "deadlock",
		Verdict: "http/1 was killed: request 01HZX3K7Q2M9 holds accounts and waits for audit, request 01HZX3K7Q2N0 the other way round",
		Pool:    "http", Index: 1, Incarnation: 7, PID: 4712,
		Stuck: []watchdog.Stuck{
			{Request: "01HZX3K7Q2M9", Route: "POST /hooks/:name", Client: "203.0.113.9:50122", Slot: 3, AgeMS: 34_000, Outcome: "504 from the worker"},
			{Route: "build", Slot: 4, AgeMS: 3_250, Outcome: "closed"},
		},
		Timeline: []watchdog.Moment{{AfterMS: -4000, What: "begun"}, {AfterMS: 0, What: "noticed: a cycle of locks"}, {AfterMS: 12, What: "http/0 accepts in its place"}, {AfterMS: 15_250, What: "killed"}},
		Evidence: watchdog.Evidence{
			Locks: []watchdog.LockState{
				{Name: "sync.Mutex 0xc000012345", Holder: "perhaps goroutine 7", Waiters: []string{"goroutine 9"}},
				{Name: "accounts", Holder: "request 01HZX3K7Q2M9", Waiters: []string{"request 01HZX3K7Q2N0 for 34s"}, Proven: true},
			},
			Stacks: []watchdog.Stack{
				{Goroutine: 5, State: "select", Frames: []string{"runtime.gopark (proc.go:402)", "shop.loop (loop.go:8)"}},
				{Goroutine: 31, Request: "01HZX3K7Q2M9", Route: "POST /hooks/:name", State: "sync.Mutex.Lock", Frames: []string{
					"runtime.gopark (proc.go:402)", "sync.(*Mutex).Lock (mutex.go:90)", "shop.(*Audit).Append (audit.go:41)", "shop.transfer (transfer.go:17)", "v2.(*Ctx).Next (ctx.go:1040)", "github.com/valyala/fasthttp.(*Server).serveConn (server.go:2379)",
					"created by fasthttp.(*workerPool).getCh (workerpool.go:196)",
				}},
			},
			Threads: []watchdog.Thread{{TID: 4712, State: "S", Wait: "futex_wait_queue", Syscall: "202 0x1", CPUMS: 1234}, {TID: 4713, State: "R", Syscall: "running", CPUMS: 90_000}},
			Process: watchdog.Process{RSSBytes: 120 << 20, Descriptors: 90, Goroutines: 340, Runnable: 12, Backlog: 3},
		},
	}
	for n := range 10 {
		i.Lost = append(i.Lost, watchdog.Stuck{Request: fmt.Sprintf("lost-%d", n), Route: "GET /", Slot: 10 + n, AgeMS: 20, Outcome: "closed"})
	}
	return i
}

// writeIncidents returns the data directory of a service that had two incidents.
func writeIncidents(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	w, err := journal.NewIncidents(journal.IncidentsConfig{Dir: filepath.Join(dir, incidentsDir)})
	if err != nil {
		t.Fatal(err)
	}
	warning := watchdog.Incident{
		ID: "1kd9q2z000000", Time: noticed.Add(time.Hour), Severity: watchdog.Warning, Reason: "harakiri", Verdict: "one request\x1b[2J took too long",
		Pool: "runner", Stuck: []watchdog.Stuck{{Request: "REQ-x", Route: "build", Outcome: "504 from the worker"}},
	}
	if err := errors.Join(w.Write(deadlockedWorker(), []byte("goroutine 1 [running]:\nmain.main()\n\t/a.go:1 +0x1\n")), w.Write(warning, nil)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestIncidentsAreListedAndFound(t *testing.T) {
	t.Parallel()
	dir := writeIncidents(t)
	for _, c := range []struct {
		line string
		code int
		want string
		not  string
	}{
		{"", 0, "1kd9q2z000000  warning   runner/0  harakiri  one request took too long\n", "\x1b"},
		{"", 0, "1kd9q2a7f3c0e  killing   http/1    deadlock  http/1 was killed", ""},
		{"--pool http", 0, "1kd9q2a7f3c0e", "1kd9q2z000000"},
		{"--limit 1", 0, "1kd9q2z000000", "1kd9q2a7f3c0e"},
		{"--since 2026-05-04T03:30:00Z", 0, "1kd9q2z000000", "1kd9q2a7f3c0e"},
		{"--since 0s", 0, "No incidents.", "1kd9"},
		{"--since soon", exitUsage, `"soon" is no time`, ""},
		{"1kd9q2a7f3c0e", 0, "KILLING  http/1 was killed", ""},
		{"1kd9q2z", 0, "WARNING  one request took too long", ""},
		{"01HZX3K7Q2M9", 0, "KILLING  http/1 was killed", ""},
		{"lost-9", 0, "KILLING  http/1 was killed", ""},
		{"REQ-x", 0, "WARNING  one request", ""},
		{"1kd9", exitUsage, "more than one incident begins so: 1kd9q2a7f3c0e, 1kd9q2z000000", ""},
		{"nope", exitNotFound, "no incident nope", ""},
		{"a b", exitUsage, "2 arguments where", ""},
		{"--nonsense", exitUsage, "incidents --help lists the flags", ""},
	} {
		var out bytes.Buffer
		code, stderr := runHere(t.Context(), nil, &out, nil, append([]string{"incidents", "--data", dir}, strings.Fields(c.line)...)...)
		all := out.String() + stderr
		if code != c.code || !strings.Contains(all, c.want) || c.not != "" && strings.Contains(all, c.not) {
			t.Errorf("incidents %s: exit code %d, want %d and %q, not %q, in:\n%s", c.line, code, c.code, c.want, c.not, all)
		}
	}
}

func TestIncidentsAsJSON(t *testing.T) {
	t.Parallel()
	dir := writeIncidents(t)
	var out bytes.Buffer
	var list struct {
		Incidents []watchdog.Incident `json:"incidents"`
	}
	if code, stderr := runHere(t.Context(), nil, &out, nil, "incidents", "--json", "--data", dir); code != 0 {
		t.Fatal(stderr)
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list.Incidents) != 2 || list.Incidents[1].Reason != "deadlock" {
		t.Errorf("%+v, %v", list, err)
	}
	out.Reset()
	if code, stderr := runHere(t.Context(), nil, &out, nil, "incidents", "--json", "--data", dir, "lost-0"); code != 0 {
		t.Fatal(stderr)
	}
	var one struct {
		watchdog.Incident
		DumpPath string `json:"dump_path"`
	}
	if err := json.Unmarshal(out.Bytes(), &one); err != nil || len(one.Lost) != 10 || one.DumpPath != filepath.Join(dir, "incidents", "1kd9q2a7f3c0e.dump") {
		t.Errorf("%+v, %v", one, err)
	}
	out.Reset()
	if code, _ := runHere(t.Context(), nil, &out, nil, "incidents", "--json", "--data", t.TempDir()); code != 0 || strings.Join(strings.Fields(out.String()), "") != `{"incidents":[]}` {
		t.Errorf("without any: exit code %d, %s", code, out.String())
	}
}

func TestAnIncidentThatCannotBeReadIsSaidToBe(t *testing.T) {
	t.Parallel()
	dir := writeIncidents(t)
	if err := os.WriteFile(filepath.Join(dir, incidentsDir, "torn.json"), []byte(`{"id":"to`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code, stderr := runHere(t.Context(), nil, &out, nil, "incidents", "--data", dir, "torn"); code != exitFailed || !strings.Contains(stderr, "damaged") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, stderr := runHere(t.Context(), nil, &out, nil, "incidents", "--data", filepath.Join(dir, "none")); code != exitNotFound || !strings.Contains(stderr, "no data directory") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestThePageOfAnIncident(t *testing.T) {
	t.Parallel()
	bare := watchdog.Incident{ID: "1kd9q2z000000", Time: noticed, Severity: watchdog.Warning, Reason: "harakiri", Verdict: "one request took too long", Pool: "http"}
	without := deadlockedWorker()
	without.Evidence.Dump = without.ID + ".dump"
	for name, p := range map[string]incidentPage{
		"everything": {incident: deadlockedWorker(), dump: "/var/lib/my data/incidents/1kd9q2a7f3c0e.dump", terminal: &terminal{}},
		"narrow":     {incident: without, terminal: &terminal{width: 80}},
		"colours":    {incident: deadlockedWorker(), dump: "/var/lib/seadog/incidents/1kd9q2a7f3c0e.dump", terminal: &terminal{width: 100, colour: true}},
		"bare":       {incident: bare, terminal: &terminal{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			p.terminal.out, p.now, p.zone = &out, noticed.Add(5*time.Minute), time.UTC
			if err := p.print(); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "incidents", name+".txt"), out.String())
		})
	}
}

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"": {}, "90m": now.Add(-90 * time.Minute), "7d": now.AddDate(0, 0, -7), "2026-05-01": time.Date(2026, 5, 1, 0, 0, 0, 0, time.Local),
		"2026-05-01 08:30": time.Date(2026, 5, 1, 8, 30, 0, 0, time.Local), "2026-05-01T08:30:00Z": time.Date(2026, 5, 1, 8, 30, 0, 0, time.UTC),
	} {
		if got, err := moment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"-1h", "d", "-3d", "yesterday", "2026-13-01"} {
		if got, err := moment(text, now); err == nil {
			t.Errorf("%q became %s", text, got)
		}
	}
}
