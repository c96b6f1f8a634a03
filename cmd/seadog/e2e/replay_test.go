package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/loadtest"
)

// payload is a delivery as GitHub sends it; name is its project's, too.
type payload struct {
	name, event, id string
	body            []byte
}

var commitRE = regexp.MustCompile(`[0-9a-f]{40}`)

// payloads are those of the parser's own tests, with the commits that they move
// to replaced by one that is there.
func payloads(t *testing.T, head string) []payload {
	t.Helper()
	files, err := filepath.Glob("../../../deployer/webhook/testdata/github/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d payloads, %v", len(files), err)
	}
	var all []payload
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		header, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".header")
		if err != nil {
			t.Fatal(err)
		}
		p := payload{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		for line := range strings.Lines(string(header)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch name {
			case "X-GitHub-Event":
				p.event = value
			case "X-GitHub-Delivery":
				p.id = value
			}
		}
		var push struct{ After string }
		if json.Unmarshal(body, &push) == nil && commitRE.MatchString(push.After) && push.After != noCommit {
			body = bytes.ReplaceAll(body, []byte(push.After), []byte(head))
		}
		p.body = bytes.Replace(body, []byte("https://github.com/"), []byte("https://x-access-token:"+cloneToken+"@github.com/"), 1)
		all = append(all, p)
	}
	return all
}

// cloneToken is what a careless forge puts into the URLs of its payloads.
const cloneToken = "sentinel-clone-token"

// recordedService is a service that records, with a project for each payload.
func recordedService(t *testing.T) (*service, []payload) {
	t.Helper()
	needEngine(t)
	f, r := newFake(t, ""), fakeProject(t)
	for _, branch := range []string{"master", "feature/main"} {
		r.git("branch", branch)
	}
	all := payloads(t, r.head)
	projects := map[string]string{}
	for _, p := range all {
		projects[p.name] = fmt.Sprintf("repository: %q\nbranches: [main, master, feature/main]\nhealth: {stable: 1s}", r.dir)
	}
	s := newService(t, projects, fmt.Sprintf("workers: {runners: %d}\nrecord: {dir: recording, deliveries: 1000, bytes: 8MiB}", len(all)))
	s.env = f.env()
	s.start()
	return s, all
}

// row is a decision, without what differs from run to run.
type decided struct{ Hook, Project, Ref, Commit, Verdict string }

// decisions returns those about deliveries after mark, and the newest delivery.
func (s *service) decisions(mark int64) (all []decided, newest int64) {
	s.t.Helper()
	page, err := s.api.Deliveries(context.Background(), deployer.DeliveryFilter{Limit: 500})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range page.Deliveries {
		newest = max(newest, d.ID)
		for _, e := range d.Decisions {
			if d.ID > mark {
				all = append(all, decided{d.Hook, e.Project, e.Ref, e.Commit, string(e.Verdict)})
			}
		}
	}
	slices.SortFunc(all, func(a, b decided) int {
		return cmp.Or(strings.Compare(a.Hook, b.Hook), strings.Compare(a.Ref, b.Ref), strings.Compare(a.Verdict, b.Verdict))
	})
	return all, newest
}

func (s *service) deployments() int {
	s.t.Helper()
	list, err := s.api.Deployments(context.Background(), deployer.DeploymentFilter{Limit: 500})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list.Deployments)
}

// idle waits until nothing runs and nothing waits.
func (s *service) idle() {
	s.t.Helper()
	s.eventually(3*time.Minute, "everything is deployed", func() bool {
		o, err := s.api.Overview(context.Background())
		return err == nil && o.Running == 0 && o.Queued == 0
	})
}

// recorded waits until a directory holds so many lines, and returns its files' text.
func (s *service) recorded(dir string, lines int) string {
	s.t.Helper()
	text := ""
	s.eventually(time.Minute, fmt.Sprintf("%d deliveries are recorded", lines), func() bool {
		text = ""
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, file := range files {
			content, _ := os.ReadFile(file)
			text += string(content)
		}
		return strings.Count(text, "\n") >= lines
	})
	return text
}

// send delivers p, unless its signature is to be wrong, and requires an answer.
func (s *service) send(p payload, want ...int) {
	s.t.Helper()
	code, _, err := s.deliver("/hooks/"+p.name, p.event, p.id, p.body)
	if err != nil || !slices.Contains(want, code) {
		s.t.Fatalf("%s: answered %d, %v", p.name, code, err)
	}
}

// load runs "seadog load" and returns its report, exit code and stderr.
func (s *service) load(args ...string) (*loadtest.Report, int, string) {
	s.t.Helper()
	cmd := exec.Command(binary, append([]string{"load"}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "SEADOG_TOKEN="+apiToken, "HOOK_SECRET="+hookSecret)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	var r loadtest.Report
	if slices.Contains(args, "--json") {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			s.t.Fatalf("exit %d: %v in %s\n%s", cmd.ProcessState.ExitCode(), err, out.String(), errs.String())
		}
	}
	return &r, cmd.ProcessState.ExitCode(), out.String() + errs.String()
}

// passed requires that nothing speaks against a run but this machine, which
// other tests keep busy.
func passed(t *testing.T, r *loadtest.Report, code int, requests uint64) {
	t.Helper()
	for _, reason := range r.Reasons {
		if reason.Verdict != loadtest.Invalid {
			t.Errorf("%s: %s", reason.Verdict, reason.Text)
		}
	}
	t.Logf("%s: %d requests, %d hangs, ledger %+v", r.Verdict, requests, len(r.Hangs), r.Ledger)
	if code != r.Code || code != 0 && code != loadtest.Invalid.Code() {
		t.Errorf("exit code %d, in the report %d", code, r.Code)
	}
	sent, ok := uint64(0), uint64(0)
	for _, tr := range r.Traffic {
		sent += tr.Sent
		ok += tr.Outcomes[loadtest.OK.String()]
	}
	if sent != requests || ok != requests {
		t.Errorf("%d requests were sent and %d answered as expected, want %d", sent, ok, requests)
	}
	if l := r.Ledger; l == nil || l.Error != "" || l.Lost+l.Duplicate+l.Refused+l.Unended > 0 {
		t.Errorf("ledger %+v", l)
	}
}

func TestWhatWasRecordedIsReplayed(t *testing.T) {
	s, all := recordedService(t)
	for _, p := range all {
		s.send(p, http.StatusOK, http.StatusAccepted)
	}
	s.idle()
	push := all[slices.IndexFunc(all, func(p payload) bool { return p.name == "push" })]
	s.send(push, http.StatusOK) // once more
	broken := push
	broken.body = []byte(`{"ref":`)
	s.send(broken, http.StatusBadRequest)
	s.sendUnsigned(push)
	s.idle()
	requests := len(all) + 3

	text := s.recorded(s.path("recording"), requests)
	for _, secret := range []string{hookSecret, apiToken, cloneToken, "sha256=", "X-Sentinel", "Cookie", "Authorization"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the recording", secret)
		}
	}
	if !strings.Contains(text, "https://[redacted]@github.com/") {
		t.Error("the tokens of URLs were not scrubbed, but something else was")
	}
	want, mark := s.decisions(0)
	s.killAll() // and all of it is there
	s.restart()
	if err := os.Rename(s.path("recording"), s.path("monday")); err != nil {
		t.Fatal(err)
	}
	before := s.deployments()

	r, code, _ := s.load("replay", "monday", "--target", s.url, "--speed", "10", "--secret-env", "HOOK_SECRET", "--no-calibration", "--json")
	passed(t, r, code, uint64(requests))
	got, fresh := s.decisions(mark)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("decisions under fresh ids (-then +now):\n%s", diff)
	}
	after := s.deployments()
	if after <= before || r.Ledger.Accepted != uint64(len(all)) || r.Ledger.Rejected != 2 {
		t.Errorf("%d deployments, then %d; ledger %+v", before, after, r.Ledger)
	}
	// It was recorded again, and can be replayed again.
	s.recorded(s.path("recording"), requests)

	r, code, _ = s.load("replay", "monday", "--target", s.url, "--speed", "10", "--ids", "same", "--secret-env", "HOOK_SECRET", "--no-calibration", "--json")
	passed(t, r, code, uint64(requests))
	got, _ = s.decisions(fresh)
	for _, d := range got {
		if d.Verdict != string(deployer.VerdictDuplicate) && d.Verdict != string(deployer.VerdictIgnored) {
			t.Errorf("under its old id: %+v", d)
		}
	}
	if n := s.deployments(); n != after || len(got) != len(want) {
		t.Errorf("under the old ids, %d deployments became %d; %d decisions, want %d", after, n, len(got), len(want))
	}
}

// sendUnsigned sends what proves nothing, with secrets wherever somebody might put one.
func (s *service) sendUnsigned(p payload) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.url+"/hooks/"+p.name+"?token="+hookSecret, bytes.NewReader(p.body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-GitHub-Event", p.event)
	req.Header.Set("X-GitHub-Delivery", "sentinel-id-"+hookSecret)
	req.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	req.Header.Set("Authorization", "Bearer "+apiToken)
	req.Header.Set("Cookie", "session="+hookSecret)
	req.Header.Set("X-Sentinel", "1")
	req.Header.Set("User-Agent", "GitHub-Hookshot/"+apiToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		s.t.Fatalf("answered %d", resp.StatusCode)
	}
}

func TestARecordingOnAFullDiskDisturbsNobody(t *testing.T) {
	needEngine(t)
	f, r := newFake(t, ""), fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "record: {dir: recording}")
	if err := os.Mkdir(s.path("recording"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("seadog-e2e", s.path("recording"), "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a small file system cannot be mounted: %v", err)
		}
		t.Skipf("SKIPPED: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(s.path("recording"), syscall.MNT_DETACH) })
	s.env = f.env()
	s.start()
	body := append([]byte(`{"zen":"`+strings.Repeat("x", 4<<10)), `","hook_id":1}`...)
	for n := range 100 {
		s.send(payload{name: "site", event: "ping", id: fmt.Sprint("ping-", n), body: body}, http.StatusOK)
	}
	written, failed := 0.0, 0.0
	s.eventually(time.Minute, "what was written and what was not is counted", func() bool {
		now := s.metrics()
		written = now[`seadog_recorded_deliveries_total{result="written"}`]
		failed = now[`seadog_recorded_deliveries_total{result="failed"}`]
		return written+failed == 100
	})
	if written == 0 || failed == 0 {
		t.Errorf("%v were written, %v were not", written, failed)
	}
	if !strings.Contains(s.log(), "a delivery could not be recorded") {
		t.Error("the log says nothing of it")
	}
}

func TestAReplayThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	s := &service{t: t, dir: t.TempDir()}
	line := `{"at_ns":%d,"time":"2026-03-02T09:15:30Z","hook":"shop","provider":"github","method":"POST","path":"/hooks/shop","proof":"good","id":"a","body":"{}"}` + "\n"
	s.write("good.jsonl", fmt.Sprintf(line, 0)+fmt.Sprintf(line, 2_000_000_000))
	s.write("bad.jsonl", fmt.Sprintf(line, 0)+"{}\n")
	s.write("secret", hookSecret+"\n")
	port := freePorts(t, 1)[0]
	to := []string{"--target", fmt.Sprintf("http://127.0.0.1:%d", port), "--secret-file", "shop=secret"}
	for want, args := range map[string][]string{
		"which recording?":                                 {},
		"where to? --target names the service":             {"good.jsonl"},
		"bad.jsonl:2: at_ns is missing":                    append([]string{"bad.jsonl"}, to...),
		"open the recording: stat none":                    append([]string{"none"}, to...),
		"--ids old: write fresh or same":                   append([]string{"good.jsonl", "--ids", "old"}, to...),
		"--from noon: write a duration":                    append([]string{"good.jsonl", "--from", "noon"}, to...),
		"--hook till: no delivery of it is selected":       append([]string{"good.jsonl", "--hook", "shop", "--hook", "till"}, to...),
		"--secret-file shop=secret: there is a secret for": append([]string{"good.jsonl", "--secret-file", "shop=secret"}, to...),
		"--secret-env NONE: holds no secret of one line":   append([]string{"good.jsonl", "--secret-env", "NONE"}, to...),
		"give --secret-file or --secret-env":               {"good.jsonl", "--target", "http://127.0.0.1:1", "--no-ledger", "--secret-file", "till=secret"},
		"example.org is not this machine":                  {"good.jsonl", "--target", "http://example.org", "--secret-file", "secret"},
		"or --no-ledger if it is no seadog":                append([]string{"good.jsonl"}, to...), // nobody answers there
	} {
		if _, code, out := s.load(append([]string{"replay"}, args...)...); code != loadtest.Usage.Code() || !strings.Contains(out, want) || strings.Contains(out, hookSecret) {
			t.Errorf("%q: exit code %d, %s\nwant %s", args, code, out, want)
		}
	}
	_, code, out := s.load("replay", "good.jsonl", "--target", "http://127.0.0.1:1", "--speed", "4", "--dry-run")
	if code != 0 || !strings.Contains(out, "2 requests") || !strings.Contains(out, "A verdict can be reached") {
		t.Errorf("--dry-run: exit code %d\n%s", code, out)
	}
}
