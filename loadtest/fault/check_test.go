package fault_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

// of makes a fault of a line like "stop worker:1 for=2s every=1m share=20%".
func of(line string) loadtest.Fault {
	f := loadtest.Fault{Name: "it", Phase: "steady", Do: loadtest.Action{Args: map[string]string{}}}
	for i, word := range strings.Fields(line) {
		name, value, given := strings.Cut(word, "=")
		switch {
		case i == 0:
			f.Do.Kind = word
		case !given:
			f.Do.Target = word
		case name == "for" || name == "every" || name == "at":
			d, err := time.ParseDuration(value)
			if err != nil {
				panic(err)
			}
			*map[string]*time.Duration{"for": &f.For, "every": &f.Every, "at": &f.At}[name] = d
		default:
			f.Do.Args[name] = value
		}
	}
	return f
}

// good are faults that are, and what they are called.
var good = map[string]string{
	"stop worker for=2s":                 "a worker is stopped (SIGSTOP) for 2s",
	"stop worker:1 for=1m":               "worker 1 is stopped (SIGSTOP) for 1m",
	"stop all-workers for=1h":            "every worker is stopped (SIGSTOP) for 1h",
	"stop master for=90s":                "the master is stopped (SIGSTOP) for 1m30s",
	"stop 4711 for=2s":                   "process 4711 is stopped (SIGSTOP) for 2s",
	"stop run/app.pid for=2s":            "the process of run/app.pid is stopped (SIGSTOP) for 2s",
	"kill runner":                        "a runner is killed (SIGKILL)",
	"kill every=10s":                     "the target's process is killed (SIGKILL)",
	"nofile worker for=2s":               "a worker may open no more descriptors for 2s",
	"nofile admin for=2s spare=7":        "the admin may open 7 more descriptors for 2s",
	"latency db for=10s latency=200ms":   "answers from db come 200ms late for 10s",
	"bandwidth db for=10s rate=64KiB/s":  "answers from db pass at 64KiB/s for 10s",
	"slow_close db for=10s delay=5s":     "answers from db end 5s late for 10s",
	"timeout db for=10s direction=both":  "everything to and from db vanish for 10s",
	"timeout db for=10s after=3s":        "answers from db vanish, and connections close after 3s, for 10s",
	"reset db for=10s share=20%":         "answers from db meet a reset on 20% of the connections for 10s",
	"slicer db for=10s bytes=100B":       "answers from db come in pieces of 100B for 10s",
	"limit_data db for=10s bytes=1.5KiB": "answers from db end after 1536B for 10s",
	"down db for=10s":                    "db refuses connections for 10s",
	"full data for=10s":                  "the disk of data is full for 10s",
	"full data for=10s leave=1MiB":       "the disk of data is full but for 1MiB for 10s",
	"nobody-reads for=10s":               "nobody reads the service's console for 10s",
	"slow_body for=10s":                  "10 clients send a body, a byte every 1s, for 10s",
	"half_open for=10s count=500":        "500 clients connect and send nothing for 10s",
	"header_flood for=10s count=1":       "1 client sends headers without end for 10s",
	"abort for=10s every=90s":            "10 clients hang up in the middle of a body for 10s",
	"idle for=10s path=/healthz":         "10 clients keep an idle connection for 10s",
	"slow_read for=10s count=2":          "2 clients read an answer, a byte every 1s, for 10s",
	"cpu for=10s cores=2 nice=10":        "2 cores are busy with something else, at nice 10, for 10s",

	"latency db for=10s latency=200ms jitter=50ms direction=upstream share=0.5": "requests to db come 200ms ± 50ms late on 50% of the connections for 10s",
	"slicer db for=10s bytes=1KiB vary=10B delay=5ms":                           "answers from db come in pieces of 1KiB ± 10B, 5ms apart, for 10s",
}

func TestGoodFaultsPassAndAreDescribed(t *testing.T) {
	t.Parallel()
	for line, want := range good {
		if err := fault.Check(of(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if got := fault.Describe(of(line)); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestBadFaultsAreRefusedByFieldWithWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want fault.Problem
	}{
		{"", fault.Problem{"kind", "is missing: one of stop, kill, nofile, latency, bandwidth, slow_close, timeout, reset, slicer, limit_data, down, full, nobody-reads, slow_body, half_open, header_flood, abort, idle, slow_read, cpu"}},
		{"explode worker", fault.Problem{"kind", `is "explode", which is unknown: one of stop, kill, nofile, latency, bandwidth, slow_close, timeout, reset, slicer, limit_data, down, full, nobody-reads, slow_body, half_open, header_flood, abort, idle, slow_read, cpu`}},
		{"flood for=2s", fault.Problem{"kind", `is "flood", which is no fault but traffic: push to a repository whose build prints that many lines`}},
		{"clock for=2s", fault.Problem{"kind", `is "clock", which cannot be had for one process: the wall clock belongs to the whole machine, and nothing here decides by it; stop the master instead, which makes it as late`}},
		{"stop worker", fault.Problem{"for", "is missing: how long stop lasts, like 2s"}},
		{"stop worker for=-1s", fault.Problem{"for", "is -1s, less than nothing"}},
		{"kill worker for=2s", fault.Problem{"for", "is 2s, but kill is over at once: leave it out"}},
		{"kill at=-1s", fault.Problem{"at", "is -1s, before its phase begins"}},
		{"kill every=-1s", fault.Problem{"every", "is -1s, less than nothing"}},
		{"stop worker for=2s every=2s", fault.Problem{"every", "is 2s, but the fault lasts 2s: it would begin again before it ended"}},
		{"stop wrker for=2s", fault.Problem{"target", `is "wrker", which is unknown: worker, runner, master or admin, as worker:0 or all-workers if there are several, a pid, or a pid file with a / in its path`}},
		{"stop worker:x for=2s", fault.Problem{"target", `is "worker:x", but the place of a worker is a number from 0`}},
		{"stop all-worker for=2s", fault.Problem{"target", `is "all-worker", which is unknown: worker, runner, master or admin, as worker:0 or all-workers if there are several, a pid, or a pid file with a / in its path`}},
		{"stop 1 for=2s", fault.Problem{"target", "is 1, which is no process that may be disturbed"}},
		{"reset for=2s", fault.Problem{"target", "is missing: the name of a proxy"}},
		{"full for=2s", fault.Problem{"target", "is missing: the name of a directory that may be filled"}},
		{"idle db for=2s", fault.Problem{"target", `is "db", but idle has none: leave it out`}},
		{"stop worker for=2s share=20%", fault.Problem{"share", "is unknown: stop takes no arguments"}},
		{"latency db for=2s latency=1s jiter=1ms", fault.Problem{"jiter", "is unknown: latency takes latency, jitter, share, direction"}},
		{"latency db for=2s", fault.Problem{"latency", "is missing: latency needs it, a duration like 200ms"}},
		{"latency db for=2s latency=200", fault.Problem{"latency", `is "200": want a duration like 200ms`}},
		{"latency db for=2s latency=2h", fault.Problem{"latency", "is 2h, but must be between 0s and 1h"}},
		{"latency db for=2s latency=1s jitter=2s", fault.Problem{"jitter", "is 2s, more than latency (1s): bytes cannot come before they were sent"}},
		{"latency db for=2s latency=1s direction=down", fault.Problem{"direction", `is "down": want one of downstream, upstream, both`}},
		{"reset db for=2s share=120%", fault.Problem{"share", "is 120%, but must be between 0% and 100%"}},
		{"reset db for=2s share=some", fault.Problem{"share", `is "some": want a share like 20%`}},
		{"bandwidth db for=2s rate=64KiB", fault.Problem{"rate", `is "64KiB": want a size per second like 64KiB/s`}},
		{"bandwidth db for=2s rate=0B/s", fault.Problem{"rate", "is 0B/s, but must be between 1B/s and 1GiB/s"}},
		{"limit_data db for=2s bytes=10", fault.Problem{"bytes", `is "10": want a size like 64KiB`}},
		{"limit_data db for=2s bytes=-1B", fault.Problem{"bytes", "is -1B, but must be between 0B and 1024GiB"}},
		{"slicer db for=2s bytes=10B vary=10B", fault.Problem{"vary", "is as much as bytes, or more: pieces need a size"}},
		{"idle for=2s count=many", fault.Problem{"count", `is "many": want a whole number`}},
		{"idle for=2s count=5001", fault.Problem{"count", "is 5001, but must be between 1 and 5000"}},
		{"idle for=2s path=healthz", fault.Problem{"path", `is "healthz": want a path that begins with /`}},
		{"slow_body for=2s method=GET", fault.Problem{"method", `is "GET": want one of POST, PUT, PATCH`}},
		{"nofile worker for=2s spare=-1", fault.Problem{"spare", "is -1, but must be between 0 and 1048576"}},
	} {
		err := fault.Check(of(c.line))
		var problems fault.Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if diff := cmp.Diff(fault.Problems{c.want}, problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestPathsCannotCarryHeaders(t *testing.T) {
	t.Parallel()
	f := of("idle for=2s")
	for _, path := range []string{"/a\r\nX: y", "/a b", "/\x00"} {
		f.Do.Args["path"] = path
		if err := fault.Check(f); err == nil {
			t.Errorf("%q passes", path)
		}
	}
}

func TestAllProblemsOfAFaultAreTold(t *testing.T) {
	t.Parallel()
	f := of("latency at=-1s every=-1s bites=1")
	f.Name = ""
	err := fault.Check(f)
	want := "name is missing: reports and thresholds tell faults by it; at is -1s, before its phase begins; " +
		"for is missing: how long latency lasts, like 2s; every is -1s, less than nothing; target is missing: the name of a proxy; " +
		"bites is unknown: latency takes latency, jitter, share, direction; latency is missing: latency needs it, a duration like 200ms"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestFaultThatDoesNotPassIsOnlyNamed(t *testing.T) {
	t.Parallel()
	if got := fault.Describe(of("stop worker")); got != "stop worker" {
		t.Errorf("got %q", got)
	}
}

func TestTargetsOfProcessesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fault.Target{
		"": {Index: -1}, "runner": {Pool: "runner", Index: -1}, "runner:0": {Pool: "runner"}, "all-runners": {Pool: "runner", Index: -1, All: true},
		"12": {PID: 12, Index: -1}, "./pid": {File: "./pid", Index: -1},
	} {
		got, err := fault.ParseTarget(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q (-want +got):\n%s%v", text, diff, err)
		}
	}
}

// TestReadersOfScenariosLinkNoProxy: spec imports this package for Check alone.
func TestReadersOfScenariosLinkNoProxy(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "github.com/seadog/seadog/loadtest/fault").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		if strings.Contains(dep, "toxiproxy") || strings.Contains(dep, "zerolog") {
			t.Errorf("depends on %s", dep)
		}
	}
}
