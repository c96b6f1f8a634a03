package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest/replay"
)

// shown is a recording as "milliseconds hook".
func shown(r *replay.Recording) []string {
	var all []string
	for _, d := range r.Deliveries {
		all = append(all, fmt.Sprintf("%d %s", d.At.Milliseconds(), d.Hook))
	}
	return all
}

func TestFilesOfSeveralWorkersAreMergedByTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	second := began.Add(100 * time.Millisecond)
	file(t, dir, "a.jsonl", line(0), line(200), line(150, "hook", "late"))
	file(t, dir, "b.jsonl", line(0, "time", second, "hook", "till"),
		// The wall clock was set back meanwhile. Within a file, only the other one counts.
		line(300, "time", began.Add(-time.Hour), "hook", "till"))
	file(t, dir, "other.txt", "no recording")
	file(t, dir, "empty.jsonl")
	r, err := replay.Read([]string{dir}, replay.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0 shop", "100 till", "150 late", "200 shop", "400 till"}, shown(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !r.Begins.Equal(began) || r.Torn != 0 || r.Left != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestPartOfARecordingIsSelected(t *testing.T) {
	t.Parallel()
	path := file(t, t.TempDir(), "a.jsonl", line(0), line(100, "hook", "till"), line(200), line(300, "hook", "till"), line(400))
	for name, test := range map[string]struct {
		selection replay.Selection
		want      []string
	}{
		"a hook":        {replay.Selection{Hooks: []string{"till"}}, []string{"100 till", "300 till"}},
		"from":          {replay.Selection{From: 200 * time.Millisecond}, []string{"200 shop", "300 till", "400 shop"}},
		"from and for":  {replay.Selection{From: 100 * time.Millisecond, For: 200 * time.Millisecond}, []string{"100 till", "200 shop"}},
		"since a time":  {replay.Selection{Since: began.Add(250 * time.Millisecond)}, []string{"300 till", "400 shop"}},
		"since earlier": {replay.Selection{Since: began.Add(-time.Second), For: 1050 * time.Millisecond}, []string{"0 shop"}},
		"nothing":       {replay.Selection{From: time.Hour}, nil},
	} {
		r, err := replay.Read([]string{path}, test.selection)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, shown(r)); diff != "" || len(r.Deliveries)+r.Left != 5 {
			t.Errorf("%s (-want +got), %d left out:\n%s", name, r.Left, diff)
		}
	}
}

func TestWhatAKilledProcessLeavesIsPassedOver(t *testing.T) {
	t.Parallel()
	whole, last := line(0)+line(100), len(line(100))
	for cut := 1; cut <= last; cut++ {
		torn, want := 1, []string{"0 shop"}
		switch cut {
		case 1: // only the end of the line is missing
			torn, want = 0, []string{"0 shop", "100 shop"}
		case last:
			torn = 0
		}
		r := read(t, whole[:len(whole)-cut])
		if diff := cmp.Diff(want, shown(r)); diff != "" || r.Torn != torn {
			t.Fatalf("%d bytes fewer (-want +got), torn %d:\n%s", cut, r.Torn, diff)
		}
	}
}

func TestALineThatIsNoDeliveryIsNamed(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"not a JSON object":                             "{\n",
		"not a delivery: json: cannot unmarshal string": "{\"at_ns\":\"1s\"}\n",
		"not a delivery: json: cannot unmarshal array":  "[]\n",
		"at_ns is missing":                              line(0, "at_ns", nil),
		"at_ns 9223372036854775807 is out of range":     line(0, "at_ns", int64(1<<63-1)),
		"time is missing":                               line(0, "time", nil),
		`hook "../x" is no name of a hook`:              line(0, "hook", "../x"),
		`method "po st" is none`:                        line(0, "method", "po st"),
		`path "//evil/x" is none`:                       line(0, "path", "//evil/x"),
		`path "/a b" is none`:                           line(0, "path", "/a b"),
		`proof "maybe" is not good`:                     line(0, "proof", "maybe"),
		"it has two bodies":                             line(0, "body_base64", "eA=="),
		"its id is longer than 1 KiB":                   line(0, "id", strings.Repeat("x", 2000)),
		`header "A b" cannot be sent`:                   line(0, "headers", map[string]string{"A b": "x"}),
		`header "A" cannot be sent`:                     line(0, "headers", map[string]string{"A": "x\r\nB: y"}),
		"illegal base64 data":                           line(0, "body", nil, "body_base64", "?"),
	} {
		path := file(t, t.TempDir(), "a.jsonl", line(0), "\n", text, line(5))
		_, err := replay.Read([]string{path}, replay.Selection{})
		if err == nil || !strings.HasPrefix(err.Error(), path+":3: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("want :3: %s\n got %v", want, err)
		}
	}
}

func TestWhatIsNoRecordingIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := file(t, dir, "empty.jsonl", "\n")
	nothing := filepath.Join(dir, "nothing")
	if err := os.Mkdir(nothing, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"): "open the recording: stat " + filepath.Join(dir, "missing") + ": no such file or directory",
		nothing:                       nothing + " holds no recording: there is no *.jsonl in it",
		empty:                         "nothing is recorded in it",
	} {
		if _, err := replay.Read([]string{path}, replay.Selection{}); err == nil || err.Error() != want {
			t.Errorf("want %s\n got %v", want, err)
		}
	}
}

// FuzzEach: whatever is in a file, reading it ends with deliveries that can be
// sent, or with the line that cannot.
func FuzzEach(f *testing.F) {
	f.Add([]byte(line(0) + line(100)))
	f.Add([]byte(line(0, "body", nil, "body_base64", "/wA=") + `{"at_ns":`))
	f.Add([]byte("\n\n{}\n"))
	f.Add([]byte(line(0, "refused", "invalid", "provider", "registry", "body", `{"events":[{"id":"id-0"}]}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []replay.Delivery
		torn, err := replay.Each(strings.NewReader(string(text)), func(d replay.Delivery) error {
			all = append(all, d)
			return nil
		})
		if torn && err != nil {
			t.Errorf("torn, and %v", err)
		}
		if lines := strings.Count(string(text), "\n") + 1; len(all) > lines {
			t.Errorf("%d deliveries in %d lines", len(all), lines)
		}
		r := &replay.Recording{Deliveries: all, Begins: began}
		for i := range all {
			all[i].At = max(0, all[i].At%time.Hour)
		}
		_, _ = replay.Scenario(r, replay.Config{Target: "http://127.0.0.1:1", Speed: 10, Secret: func(string) string { return secret }})
	})
}
