package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/seadog/seadog/loadtest"
)

// scenario is a short load test of the service that has just deployed. What it
// pushes is a branch that is not deployed, so that it is decided and recorded, and nothing runs.
const scenario = `version: 1
name: demo
target: {base_url: "%[2]s", ledger: {url: /api/v1/deliveries, token_file: api.token}}
client: {max_inflight: 64, timeout: 5s}
phases:
  - {name: steady, for: 5s}
scenarios:
  - name: webhooks
    pacing: {kind: poisson, rate: 100/s}
    request:
      method: POST
      path: /hooks/%[1]s
      headers: {Content-Type: application/json, X-GitHub-Event: push}
      body: {push: github, repository: demo/site, ref: refs/heads/topic, size: 2KiB..8KiB}
      id: {header: X-GitHub-Delivery}
      sign: {scheme: github-sha256, header: X-Hub-Signature-256, secret_file: hook.secret}
    expect: {status: [200]}
    replay: {share: 2%%, expect: {status: [200]}}
    negative:
      - {name: bad-signature, share: 2%%, mutate: signature, expect: {status: [401]}}
  - name: health
    pacing: {kind: constant, rate: 50/s}
    request: {method: GET, path: /healthz}
    expect: {status: [200]}
thresholds:
  - ratio(failed) <= 0%%
  - max(response) < 2s
  - count(lost) == 0
  - count(duplicate_jobs) == 0
hang: {probe: /healthz}
`

// load runs a short load test against the service.
func (d *demo) load(ctx context.Context) error {
	path := filepath.Join(d.dir, "load.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, scenario, d.project, d.service), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, d.Executable, "load", "run", path, "--no-calibration").Output()
	fmt.Fprintf(d.Out, "%s", out)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == loadtest.Invalid.Code() {
		d.say("this machine is too busy to be sure; the service is not to blame for that")
		return nil
	}
	if err != nil {
		return fmt.Errorf("load test: %w", err)
	}
	return nil
}
