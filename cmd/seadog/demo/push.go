package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// push sends what GitHub sends when a branch moves, signed with the hook's
// secret, and returns what the service decided.
func push(ctx context.Context, hookURL, secret, before, after, message string) (deployer.Delivery, error) {
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/" + branch, "before": before, "after": after,
		"created": strings.Trim(before, "0") == "", "deleted": false, "forced": false,
		"head_commit": map[string]any{"id": after, "message": message},
		"commits":     []any{map[string]any{"id": after, "message": message, "modified": []string{"version"}}},
		"repository":  map[string]any{"full_name": "demo/site"},
		"pusher":      map[string]any{"name": "demo"},
	})
	if err != nil {
		return deployer.Delivery{}, err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hookURL, bytes.NewReader(body))
	if err != nil {
		return deployer.Delivery{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-GitHub-Delivery", randomHex(16))
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return deployer.Delivery{}, fmt.Errorf("push: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return deployer.Delivery{}, fmt.Errorf("push: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		return deployer.Delivery{}, fmt.Errorf("push: the service answered %s: %s", resp.Status, answer)
	}
	var d deployer.Delivery
	if err := json.Unmarshal(answer, &d); err != nil {
		return d, fmt.Errorf("push: %w", err)
	}
	if len(d.Decisions) != 1 || d.Decisions[0].Deployment == 0 {
		return d, fmt.Errorf("push: no deployment in the answer %s", answer)
	}
	return d, nil
}

// get returns the body of a page that answers 200.
func get(ctx context.Context, url string) (string, error) {
	status, body, err := fetch(ctx, url)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("%s answered %d %s", url, status, http.StatusText(status))
	}
	return body, nil
}

// fetch is get for whoever wants any answer.
func fetch(ctx context.Context, url string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, strings.TrimSpace(string(text)), err
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
