package replay_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret of the tests"

var began = time.Date(2026, 3, 2, 9, 15, 30, 0, time.UTC)

// line is a delivery of the hook shop, at so many milliseconds of its file,
// which began when the tests' recording did. change alternates keys and values;
// a nil value removes one.
func line(ms int, change ...any) string {
	l := map[string]any{
		"at_ns": ms * int(time.Millisecond), "time": began.Add(time.Duration(ms) * time.Millisecond), "hook": "shop", "provider": "github",
		"method": "POST", "path": "/hooks/shop", "headers": map[string]string{"X-GitHub-Event": "push", "X-GitHub-Delivery": fmt.Sprint("id-", ms)},
		"event": "push", "id": fmt.Sprint("id-", ms), "proof": "good", "bytes": 2, "body": "{}",
	}
	for i := 0; i < len(change); i += 2 {
		key, _ := change[i].(string)
		if l[key] = change[i+1]; change[i+1] == nil {
			delete(l, key)
		}
	}
	text, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// file writes a file of a recording.
func file(t *testing.T, dir, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read reads one file with those lines.
func read(t *testing.T, lines ...string) *replay.Recording {
	t.Helper()
	r, err := replay.Read([]string{file(t, t.TempDir(), "a.jsonl", lines...)}, replay.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
