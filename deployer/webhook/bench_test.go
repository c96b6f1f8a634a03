package webhook_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

// bodies returns pushes to GitHub of a usual size and of the largest that GitHub sends.
func bodies(tb testing.TB) map[string]string {
	tb.Helper()
	return map[string]string{
		"8KB":   string(load(tb, deployer.GitHub, "push-new-branch").body),
		"25MiB": largePush(25<<20, 2_000, 100),
	}
}

// largePush returns a push of about size bytes, of many commits that name many files each.
func largePush(size, commits, files int) string {
	var b strings.Builder
	b.Grow(size + 1<<20)
	id := strings.Repeat("ab", 20)
	message := strings.Repeat("why it was done, at length, ", max(1, (size/commits-files*70)/28))
	b.WriteString(`{"ref":"refs/heads/main","before":"` + strings.Repeat("12", 20) + `","after":"` + id + `","commits":[`)
	for i := range commits {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%s","message":"%s","timestamp":"2026-03-02T10:15:30+01:00","author":{"name":"Ada"},"added":[],"removed":[],"modified":[`, id, message)
		for j := range files {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"services/%04d/internal/a/package/of/some/depth/file_%04d.go"`, i, j)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`],"head_commit":{"id":"` + id + `","message":"the last one"},"repository":{"full_name":"acme/shop"}}`)
	return b.String()
}

func BenchmarkVerify(b *testing.B) {
	for name, body := range bodies(b) {
		r := request(header("X-Hub-Signature-256", "sha256="+hexSum(secret, body)), body)
		keys := secrets(secret)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := webhook.Verify(deployer.GitHub, keys, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, body := range bodies(b) {
		r := request(header("X-GitHub-Event", "push", "X-GitHub-Delivery", "1"), body)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if e, err := webhook.Parse(deployer.GitHub, r); err != nil || len(e.Pushes) != 1 {
					b.Fatal(e, err)
				}
			}
		})
	}
}

// BenchmarkEncodingJSON is what the same fields cost with the standard
// library: the reason for the reader of this package.
func BenchmarkEncodingJSON(b *testing.B) {
	type commit struct {
		ID, Message, Timestamp   string
		Author                   struct{ Name, Username string }
		Added, Modified, Removed []string
	}
	type push struct {
		Ref, Before, After       string
		Created, Deleted, Forced bool
		Commits                  []commit
		HeadCommit               commit `json:"head_commit"`
		Repository               struct {
			FullName string `json:"full_name"`
		}
		Pusher struct{ Name string }
	}
	for name, body := range bodies(b) {
		raw := []byte(body)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var p push
				if err := json.Unmarshal(raw, &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
