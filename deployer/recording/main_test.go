package recording_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/recording"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "sentinel-webhook-secret"

// rig is a recorder with what it counted.
type rig struct {
	*recording.Recorder
	t   *testing.T
	dir string

	mu      sync.Mutex
	counted map[recording.Result]int
	log     bytes.Buffer
}

func newRig(t *testing.T, change ...func(*recording.Config)) *rig {
	t.Helper()
	r := &rig{t: t, counted: map[recording.Result]int{}}
	c := recording.Config{
		Dir: filepath.Join(t.TempDir(), "recording"), Deliveries: 10_000, Bytes: 64 << 20,
		Redactor: transcript.NewRedactor(deployer.NewSecret(secret)),
		Count: func(result recording.Result) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.counted[result]++
		},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if r.Recorder, err = recording.New(c); err != nil {
		t.Fatal(err)
	}
	r.dir = c.Dir
	return r
}

func newRigLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// write records deliveries and has all of them written.
func (r *rig) write(all ...deployer.RawDelivery) {
	r.t.Helper()
	for len(all) > 0 {
		n := min(len(all), 500) // fewer than the queue takes
		for _, d := range all[:n] {
			r.Record(d)
		}
		all = all[n:]
		r.flush()
	}
}

// flush runs the recorder until its queue is empty.
func (r *rig) flush() {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := r.Run(ctx); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) count(result recording.Result) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counted[result]
}

// files returns the names of the recording's files, in the order of their names.
func (r *rig) files() []string {
	r.t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

// kept is a line, by its keys.
type kept map[string]any

// lines returns all that is recorded, file by file.
func (r *rig) lines() []kept {
	r.t.Helper()
	var all []kept
	for _, path := range r.files() {
		text, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, 100<<20)
		for lines.Scan() {
			var l kept
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				r.t.Fatalf("%s: %v in %.200s", filepath.Base(path), err, lines.Text())
			}
			all = append(all, l)
		}
	}
	return all
}

// size returns how much is recorded.
func (r *rig) size() (lines int, size int64) {
	r.t.Helper()
	for _, path := range r.files() {
		text, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
		size += int64(len(text))
	}
	return lines, size
}

// delivery is number n of a hook, with a body of so many bytes.
func delivery(n, size int) deployer.RawDelivery {
	header := map[string]string{"X-GitHub-Event": "push", "X-GitHub-Delivery": fmt.Sprint("id-", n), "Content-Type": "application/json"}
	return deployer.RawDelivery{
		ReceivedAt: time.Now(), Hook: "shop", Provider: deployer.GitHub, Method: "POST", Path: "/hooks/shop",
		Header: func(name string) string { return header[name] },
		Body:   []byte(`{"n":` + fmt.Sprint(n) + `,"pad":"` + strings.Repeat("x", size) + `"}`),
		Proof:  deployer.ProofGood, Event: "push", ExternalID: fmt.Sprint("id-", n),
	}
}
