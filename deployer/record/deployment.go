package record

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// Columns of a deployment: those that never change, and those that do.
const (
	fixedColumns = "id, project, triggered, ref, attempt, origin, overrides, created_at"
	movedColumns = "status, outcome, cause, reason, commit_sha, before_sha, message, actor, superseded_by, coalesced, " +
		"started_at, finished_at, step, stalled_since, cancel_by, node, boot, pid, started, heartbeat_at, marker, images"
	deploymentColumns = fixedColumns + ", " + movedColumns
)

var (
	// InsertDeployment takes [InsertArgs].
	InsertDeployment = "insert into deployments (" + deploymentColumns + ") values (" + placeholders(deploymentColumns) + ")"
	updateDeployment = "update deployments set (" + movedColumns + ") = (" + placeholders(movedColumns) + ") where id = $23"
)

// What a push changes of a deployment that waits. These leave alone what did not
// change, and the first also what is indexed, which makes it several times
// cheaper: it is the most frequent update in a storm.
const (
	joinDeployment      = "update deployments set commit_sha = $1, before_sha = $2, message = $3, actor = $4, coalesced = $5 where id = $6"
	supersedeDeployment = "update deployments set commit_sha = $1, before_sha = $2, message = $3, actor = $4, coalesced = $5, " +
		"status = $7, outcome = $8, reason = $9, superseded_by = $10, finished_at = $11 where id = $6"
)

// Placing returns the statement and its arguments that write what a round
// changed about d, which waited before it.
func Placing(d *deployer.Deployment) (statement string, args []any) {
	args = []any{d.Commit, d.Before, d.Message, d.By, int64(d.Coalesced), d.ID}
	if d.Status == deployer.Queued {
		return joinDeployment, args
	}
	return supersedeDeployment, append(args, string(d.Status), string(d.Outcome), d.Reason, d.SupersededBy, optional(d.FinishedAt))
}

func placeholders(columns string) string {
	out := make([]string, strings.Count(columns, ",")+1)
	for i := range out {
		out[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(out, ", ")
}

// InsertArgs returns the arguments of [InsertDeployment].
func InsertArgs(d *deployer.Deployment) []any {
	return append([]any{
		d.ID, d.Project, string(d.Trigger), d.Ref, int64(d.Attempt), d.Origin, bit(d.Override), micros(d.CreatedAt),
	}, moved(d)...)
}

func moved(d *deployer.Deployment) []any {
	var o deployer.Owner
	if d.Owner != nil {
		o = *d.Owner
	}
	return []any{
		string(d.Status), string(d.Outcome), string(d.Cause), d.Reason, d.Commit, d.Before, d.Message, d.By,
		d.SupersededBy, int64(d.Coalesced), optional(d.StartedAt), optional(d.FinishedAt), string(d.Step),
		optional(d.StalledSince), d.CancelBy, o.Node, o.Boot, int64(o.PID), int64(o.Started),
		optional(d.HeartbeatAt), d.Marker, encodeImages(d.Images),
	}
}

func encodeImages(images []deployer.Image) string {
	if len(images) == 0 {
		return ""
	}
	b, err := json.Marshal(images)
	if err != nil {
		panic(err) // three strings always marshal
	}
	return string(b)
}

func scanDeployment(rows Rows) (*deployer.Deployment, error) {
	var (
		d                                                        deployer.Deployment
		o                                                        deployer.Owner
		override, created, begun, finished, stalled, beat, ticks int64
		images                                                   string
	)
	err := rows.Scan(
		&d.ID, &d.Project, &d.Trigger, &d.Ref, &d.Attempt, &d.Origin, &override, &created,
		&d.Status, &d.Outcome, &d.Cause, &d.Reason, &d.Commit, &d.Before, &d.Message, &d.By,
		&d.SupersededBy, &d.Coalesced, &begun, &finished, &d.Step,
		&stalled, &d.CancelBy, &o.Node, &o.Boot, &o.PID, &ticks,
		&beat, &d.Marker, &images,
	)
	if err != nil {
		return nil, fmt.Errorf("scan deployment: %w", err)
	}
	d.Override, d.CreatedAt = override != 0, stamp(created)
	d.StartedAt, d.FinishedAt, d.StalledSince, d.HeartbeatAt = maybe(begun), maybe(finished), maybe(stalled), maybe(beat)
	if o.Started = uint64(ticks); o != (deployer.Owner{}) {
		d.Owner = &o
	}
	if images != "" {
		if err := json.Unmarshal([]byte(images), &d.Images); err != nil {
			return nil, fmt.Errorf("images of deployment %d: %w", d.ID, err)
		}
	}
	return &d, nil
}

// load returns a deployment for writing.
func load(ctx context.Context, tx Tx, id int64) (*deployer.Deployment, error) {
	rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments where id = $1 "+tx.Dialect().ForUpdate, id)
	all, err := collect(rows, err, scanDeployment)
	if err != nil {
		return nil, fmt.Errorf("load deployment: %w", err)
	}
	if len(all) == 0 {
		return nil, notFound("deployment", id)
	}
	return all[0], nil
}

// owned is load for a runner that believes it owns the deployment.
func owned(ctx context.Context, tx Tx, id int64, owner deployer.Owner) (*deployer.Deployment, error) {
	d, err := load(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if d.Status != deployer.Running || d.Owner == nil || *d.Owner != owner {
		return nil, leaseLost(id)
	}
	return d, nil
}

func update(ctx context.Context, tx Tx, d *deployer.Deployment) error {
	if _, err := tx.Exec(ctx, updateDeployment, append(moved(d), d.ID)...); err != nil {
		return fmt.Errorf("update deployment: %w", err)
	}
	return nil
}
