package main_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/deployer/recording"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/deployer/webhook"
	"github.com/seadog/seadog/loadtest/replay"
	"github.com/seadog/seadog/loadtest/target"
)

const hookSecret = "sentinel-secret-of-a-hook"

// samples are the payloads of the parser's own tests, each to a hook of its own.
func samples(t *testing.T) []deployer.RawDelivery {
	t.Helper()
	var all []deployer.RawDelivery
	at := time.Date(2026, 3, 2, 9, 15, 30, 0, time.UTC)
	for _, p := range deployer.Providers() {
		files, err := filepath.Glob(filepath.Join("../../deployer/webhook/testdata", string(p), "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no payloads of %s: %v", p, err)
		}
		for i, file := range files {
			header := http.Header{"Content-Type": {"application/json"}}
			lines, _ := os.ReadFile(strings.TrimSuffix(file, ".json") + ".header") // Docker Hub has none
			for line := range strings.Lines(string(lines)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				header.Set(name, value)
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 && slices.Contains([]deployer.Provider{deployer.GitHub, deployer.Gitea, deployer.Gogs}, p) {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
				body = []byte("payload=" + url.QueryEscape(string(body)))
			}
			hook := strings.ToLower(string(p) + "-" + strings.TrimSuffix(filepath.Base(file), ".json"))
			at = at.Add(time.Millisecond)
			all = append(all, deployer.RawDelivery{
				ReceivedAt: at, Hook: hook, Provider: p, Method: "POST", Path: "/hooks/" + hook, Header: header.Get, Body: body, Proof: deployer.ProofGood,
			})
		}
	}
	return all
}

// understood is what a receiver makes of a delivery.
func understood(t *testing.T, d deployer.RawDelivery, r webhook.Request) deployer.Event {
	t.Helper()
	e, err := webhook.Parse(d.Provider, r)
	if err != nil {
		t.Fatalf("%s: %v", d.Hook, err)
	}
	return e
}

// TestEveryProvidersDeliveriesAreUnderstoodWhenTheyAreReplayed: what one area
// records the other reads, signs as the provider does, and gives an id.
func TestEveryProvidersDeliveriesAreUnderstoodWhenTheyAreReplayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tape, err := recording.New(recording.Config{
		Dir: dir, Deliveries: 1000, Bytes: 64 << 20, Redactor: transcript.NewRedactor(deployer.NewSecret(hookSecret)), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	originals, events := map[string]deployer.RawDelivery{}, map[string]deployer.Event{}
	for _, d := range samples(t) {
		e := understood(t, d, webhook.Request{Header: d.Header, Body: d.Body, ContentType: d.Header("Content-Type")})
		d.Event, d.ExternalID = e.Name, e.ID
		originals[d.Hook], events[d.Hook] = d, e
		tape.Record(d)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := tape.Run(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := replay.Read([]string{dir}, replay.Selection{})
	if err != nil || len(r.Deliveries) != len(originals) {
		t.Fatalf("%d of %d deliveries: %v", len(r.Deliveries), len(originals), err)
	}
	for name, same := range map[string]bool{"fresh ids": false, "the same ids": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := replay.Scenario(r, replay.Config{Target: "http://127.0.0.1:1", Speed: 1, Same: same, Secret: func(string) string { return hookSecret }})
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Traffic {
				m, err := target.New(target.Config{Run: "run", BaseURL: s.Target.BaseURL, Traffic: &s.Traffic[i]})
				if err != nil {
					t.Fatal(err)
				}
				for seq := range s.Traffic[i].Request.Recorded {
					shot, _ := m.Next(uint64(seq))
					hook, token, _ := strings.Cut(strings.TrimPrefix(shot.URL.Path, "/hooks/"), "/")
					again := webhook.Request{
						Header: shot.Header.Get, Body: shot.Body, ContentType: shot.Header.Get("Content-Type"), Token: token, Now: time.Now(),
					}
					d, want := originals[hook], events[hook]
					if err := webhook.Verify(d.Provider, []deployer.Secret{deployer.NewSecret(hookSecret)}, again); err != nil {
						t.Errorf("%s: %v", hook, err)
					}
					if booked := s.Traffic[i].Request.ID.Header != ""; !same && booked {
						want.ID = target.IDs(s)("run", s.Traffic[i].Name, uint64(seq))
					} else if want.ID == "" && booked {
						want.ID = shot.ID // it had none: so it is given one, to be found again
					}
					if diff := cmp.Diff(want, understood(t, d, again)); diff != "" {
						t.Errorf("%s (-then +now):\n%s", hook, diff)
					}
				}
			}
		})
	}
}

func TestEveryResultOfTheRecordingIsCounted(t *testing.T) {
	t.Parallel()
	table := metrics.NewTable(nil, nil)
	counted := map[int]uint64{}
	recorder := metrics.NewRecorder(table, func(counter int, n uint64) { counted[counter] += n })
	for _, result := range recording.Results() {
		recorder.Recorded(string(result))
	}
	if len(counted) != len(recording.Results()) {
		t.Errorf("%d of %d results have a counter", len(counted), len(recording.Results()))
	}
}
