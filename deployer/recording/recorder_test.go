package recording_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/recording"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestALineSaysAllThatIsNeededToSendItAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	at := time.Date(2026, 3, 2, 9, 15, 30, 500, time.UTC)
	header := map[string]string{"X-GitHub-Event": "push", "X-GitHub-Delivery": "id-1", "Content-Type": "application/json", "X-Other": "1"}
	d := deployer.RawDelivery{
		ReceivedAt: at, Hook: "shop", Provider: deployer.GitHub, Method: "POST", Path: "/hooks/shop",
		Header: func(name string) string { return header[name] }, Body: []byte(`{"ref":"<é>"}`),
		Proof: deployer.ProofGood, Event: "push", ExternalID: "id-1",
	}
	again := d
	again.ReceivedAt, again.Body = at.Add(1500*time.Millisecond), []byte{0xff, 0, 'a'}
	again.Refused, again.Event, again.ExternalID = deployer.CodeInvalid, "", ""
	r.write(d, again)
	want := []kept{{
		"at_ns": 0.0, "time": "2026-03-02T09:15:30.0000005Z", "hook": "shop", "provider": "github", "method": "POST", "path": "/hooks/shop",
		"headers": map[string]any{"X-GitHub-Event": "push", "X-GitHub-Delivery": "id-1", "Content-Type": "application/json"},
		"event":   "push", "id": "id-1", "proof": "good", "bytes": 14.0, "body": `{"ref":"<é>"}`,
	}, {
		"at_ns": 1.5e9, "time": "2026-03-02T09:15:31.5000005Z", "hook": "shop", "provider": "github", "method": "POST", "path": "/hooks/shop",
		"headers": map[string]any{"X-GitHub-Event": "push", "X-GitHub-Delivery": "id-1", "Content-Type": "application/json"},
		"proof":   "good", "refused": "invalid", "bytes": 3.0, "body_base64": base64.StdEncoding.EncodeToString(again.Body),
	}}
	if diff := cmp.Diff(want, r.lines()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for _, path := range append(r.files(), r.dir) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := delivery(1, 10)
	d.Path = "/hooks/" + secret
	d.Event, d.ExternalID = secret, secret
	d.Header = func(name string) string { return name + " " + secret } // whatever it is asked for
	d.Body = []byte(`{"clone_url":"https://oauth2:t0ken-of-theirs@git.example.org/a/b.git","ssh_url":"git@git.example.org:a/b.git","x":"` + secret +
		`","auth":"` + base64.StdEncoding.EncodeToString([]byte("u:"+secret)) + `"}`)
	form := d
	form.Body = []byte("payload=%7B%22clone_url%22%3A%22https%3A%2F%2Ft0ken-of-theirs%40git.example.org%2Fa%22%7D&secret=" + secret)
	binary := d
	binary.Body = append([]byte{0xff}, secret...)
	r.write(d, form, binary)
	asked := map[string]bool{}
	d.Header = func(name string) string { asked[name] = true; return "" }
	r.write(d)

	for _, path := range r.files() {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{secret, "t0ken-of-theirs", "sentinel", base64.StdEncoding.EncodeToString([]byte(secret))} {
			if bytes.Contains(text, []byte(hidden)) {
				t.Errorf("%s is in the recording:\n%s", hidden, text)
			}
		}
		if !bytes.Contains(text, []byte("git@git.example.org:a/b.git")) {
			t.Error("what is no secret is gone as well")
		}
	}
	for _, name := range []string{
		"Authorization", "Cookie", "X-Hub-Signature", "X-Hub-Signature-256", "X-Gitlab-Token", "X-Gitea-Signature",
		"X-Forgejo-Signature", "X-Gogs-Signature", "X-Signature-256", "Webhook-Signature", "Proxy-Authorization", "X-Forwarded-For",
	} {
		if asked[name] {
			t.Errorf("the header %s is kept", name)
		}
	}
	if !asked["X-GitHub-Event"] {
		t.Error("no header is kept")
	}
}

func TestTheRecordingIsBoundedAndTheOldestGoes(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]struct {
		deliveries int
		bytes      int64
		size       int // of a body
	}{
		"by deliveries": {deliveries: 200, bytes: 64 << 20, size: 10},
		"by bytes":      {deliveries: 1_000_000, bytes: 1 << 20, size: 4 << 10},
		"by odd sizes":  {deliveries: 1_000_000, bytes: 1 << 20, size: 200_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *recording.Config) { c.Deliveries, c.Bytes, c.Writers = limit.deliveries, limit.bytes, 3 })
			var batch []deployer.RawDelivery
			for n := range 1000 {
				d := delivery(n, limit.size)
				if name == "by odd sizes" && n%7 != 0 {
					d = delivery(n, n)
				}
				if batch = append(batch, d); len(batch) < 40 {
					continue
				}
				r.write(batch...)
				batch = nil
				if lines, size := r.size(); lines > limit.deliveries || size > limit.bytes {
					t.Fatalf("after %d: %d lines, %d bytes", n, lines, size)
				}
			}
			all := r.lines()
			if len(all) < 3 || all[len(all)-1]["id"] != "id-999" {
				t.Errorf("the last of %d lines is %v", len(all), all[max(0, len(all)-1)]["id"])
			}
			for i, l := range all { // what is left is the end, without a gap
				if want := delivery(1000-len(all)+i, 0).ExternalID; l["id"] != want {
					t.Fatalf("line %d is %v, want %v", i, l["id"], want)
				}
			}
			if r.count(recording.Written) != 1000 {
				t.Errorf("counted %v", r.counted)
			}
		})
	}
}

// TestSeveralWritersShareTheSpace: workers write into one directory at the same
// time, and a later one goes on where they ended.
func TestSeveralWritersShareTheSpace(t *testing.T) {
	t.Parallel()
	const writers, each = 3, 1500
	dir := t.TempDir()
	share := func(c *recording.Config) { c.Dir, c.Deliveries, c.Bytes, c.Writers = dir, 900, 2<<20, writers }
	var all sync.WaitGroup
	for w := range writers {
		r := newRig(t, share)
		all.Go(func() {
			for n := 0; n < each; n += 100 {
				var batch []deployer.RawDelivery
				for i := range 100 {
					batch = append(batch, delivery(w*each+n+i, (n+i)%700))
				}
				r.write(batch...)
			}
		})
	}
	all.Wait()
	r := newRig(t, share)
	r.write(delivery(99_999, 1))
	seen := map[any]bool{}
	for _, l := range r.lines() { // each of them is whole
		if seen[l["id"]] {
			t.Errorf("%v is there twice", l["id"])
		}
		seen[l["id"]] = true
	}
	if lines, size := r.size(); lines > 900 || size > 2<<20 || lines < 300 {
		t.Errorf("%d lines, %d bytes", lines, size)
	}
	if !seen["id-99999"] {
		t.Error("the last one is missing")
	}
}

func TestStrangersCannotPushOutWhatIsGenuine(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *recording.Config) { c.Deliveries, c.Bytes = 200, 4<<20 })
	r.write(delivery(1, 100))
	for n := range 10 {
		var batch []deployer.RawDelivery
		for i := range 30 {
			d := delivery(n*30+i+2, 100_000)
			d.Proof, d.Refused = deployer.ProofBad, deployer.CodeUnauthorized
			batch = append(batch, d)
		}
		r.write(batch...)
	}
	if lines, size := r.size(); lines > 200 || size > 4<<20 {
		t.Errorf("%d lines, %d bytes", lines, size)
	}
	good, cut := 0, 0
	for _, l := range r.lines() {
		if l["proof"] == "good" {
			good++
		}
		if body, _ := l["body"].(string); l["cut"] == true && len(body) == 64<<10 && l["bytes"].(float64) > 100_000 {
			cut++
		}
	}
	if good != 1 || cut == 0 {
		t.Errorf("%d genuine ones are left; of %d strangers the body was cut", good, cut)
	}
}

func TestAFullQueueIsCountedAndNobodyWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := range 1500 { // nobody writes
		r.Record(delivery(n, 10))
	}
	if got := r.count(recording.Overflow); got != 1500-1024 {
		t.Errorf("%d did not fit by number", got)
	}
	r.flush()
	if got := r.count(recording.Written); got != 1024 {
		t.Errorf("%d were written", got)
	}
	for n := range 10 {
		r.Record(delivery(n, 20<<20))
	}
	if got := r.count(recording.Overflow); got != 1500-1024+7 {
		t.Errorf("%d did not fit by size", got-(1500-1024))
	}
	r.flush() // gives the room back
	for n := range 3 {
		r.Record(delivery(n, 20<<20))
	}
	if got := r.count(recording.Overflow); got != 1500-1024+7 {
		t.Errorf("there was no room again: %d", got)
	}
	r.flush()
	if got := r.count(recording.TooLarge); got != 6 {
		t.Errorf("%d were too large for 64 MiB", got)
	}
}

func TestWhatIsRecordedWhileItRunsIsWrittenBeforeItReturns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, stop := context.WithCancel(context.Background())
	var run, senders sync.WaitGroup
	run.Go(func() { _ = r.Run(ctx) })
	for s := range 8 {
		senders.Go(func() {
			for n := range 100 {
				r.Record(delivery(s*100+n, 100))
			}
		})
	}
	senders.Wait()
	stop()
	run.Wait()
	if n := len(r.lines()); n != 800 || r.count(recording.Written) != 800 {
		t.Errorf("%d lines, counted %v", n, r.counted)
	}
}

// TestAFullDiskSpoilsNothing has the kernel refuse what goes beyond a size, in
// the middle of a line, as a full disk does.
func TestAFullDiskSpoilsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("seadog-test", dir, "tmpfs", 0, "size=256k"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a small file system cannot be mounted: %v", err)
		}
		t.Skipf("SKIPPED: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	r := newRig(t, func(c *recording.Config) { c.Dir = dir })
	for n := range 100 {
		r.write(delivery(n, 10_000))
	}
	written, failed := r.count(recording.Written), r.count(recording.Failed)
	if lines := r.lines(); written == 0 || failed == 0 || written+failed != 100 || len(lines) != written {
		t.Errorf("%d written, %d failed, %d lines", written, failed, len(lines))
	}
	if n := strings.Count(r.log.String(), "could not be recorded"); n != 1 {
		t.Errorf("complained %d times:\n%s", n, r.log.String())
	}
	for _, path := range r.files() { // somebody makes room
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	r.write(delivery(100, 10_000))
	if lines := r.lines(); len(lines) != 1 || lines[0]["id"] != "id-100" {
		t.Errorf("with room again: %v", lines)
	}
}

func TestWhatIsTakenAwayUnderItIsBegunAnew(t *testing.T) {
	t.Parallel()
	wrote := make(chan recording.Result, 1)
	r := newRig(t, func(c *recording.Config) { c.Count = func(result recording.Result) { wrote <- result } })
	ctx, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = r.Run(ctx) })
	defer run.Wait()
	defer stop()
	for n, take := range []func(){
		func() {
			for _, path := range r.files() {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		},
		func() {
			if err := os.Rename(r.dir, r.dir+"-moved"); err != nil {
				t.Fatal(err)
			}
		},
		func() {},
	} {
		r.Record(delivery(n, 10))
		if got := <-wrote; got != recording.Written {
			t.Errorf("%d was %s", n, got)
		}
		if lines := r.lines(); len(lines) != 1 || lines[0]["id"] != delivery(n, 0).ExternalID {
			t.Errorf("%d: got %v", n, lines)
		}
		take()
	}
}

func TestWhatCannotBeARecordingIsRefused(t *testing.T) {
	t.Parallel()
	good := recording.Config{Dir: t.TempDir(), Deliveries: 1, Bytes: 1, Redactor: &transcript.Redactor{}, Log: newRigLog()}
	if _, err := recording.New(good); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*recording.Config){
		"no directory":    func(c *recording.Config) { c.Dir = "" },
		"no redactor":     func(c *recording.Config) { c.Redactor = nil },
		"no log":          func(c *recording.Config) { c.Log = nil },
		"no deliveries":   func(c *recording.Config) { c.Deliveries = 0 },
		"no bytes":        func(c *recording.Config) { c.Bytes = 0 },
		"not a directory": func(c *recording.Config) { c.Dir = "/proc/self/exe" },
	} {
		c := good
		spoil(&c)
		if _, err := recording.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for name, size := range map[string]int{"7KiB": 7 << 10, "100KiB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			r, err := recording.New(recording.Config{
				Dir: b.TempDir(), Deliveries: 10_000, Bytes: 256 << 20,
				Redactor: transcript.NewRedactor(deployer.NewSecret(secret)), Log: newRigLog(),
			})
			if err != nil {
				b.Fatal(err)
			}
			d := delivery(1, size)
			done, stop := context.WithCancel(context.Background())
			stop()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if r.Record(d); n%500 == 499 {
					_ = r.Run(done)
				}
			}
		})
	}
}
