package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/seadog/seadog/cmd/seadog/scene"
	"github.com/seadog/seadog/deployer"
)

// push sends what GitHub sends when a branch moves, signed with the hook's
// secret, and returns what the service decided.
func push(ctx context.Context, hookURL, secret, before, after, message string) (deployer.Delivery, error) {
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/" + scene.Branch, "before": before, "after": after,
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
	req.Header.Set("X-GitHub-Delivery", scene.RandomHex(16))
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
