package record

import (
	"context"
	"fmt"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// DeliveryColumns are those of [LineArgs]. A row is one decision; what belongs
// to the delivery is repeated in each, so that the usual webhook, which
// concerns one project, costs one row.
const DeliveryColumns = "id, line, hook, provider, external_id, event, received_at, bytes, " +
	"project, ref, commit_sha, verdict, reason, deployment, repeated"

// DeliveryWidth is the number of [DeliveryColumns].
const DeliveryWidth = 15

// LineArgs appends the values of one row to args.
func LineArgs(args []any, l Line) []any {
	d, c := l.Delivery, l.Decision
	return append(
		args, d.ID, int64(l.Number), d.Hook, string(d.Provider), d.ExternalID, d.Event, micros(d.ReceivedAt), int64(d.Bytes),
		c.Project, c.Ref, c.Commit, string(c.Verdict), c.Reason, c.Deployment, bit(l.Repeated),
	)
}

// CheckIntake refuses what no store can decide.
func CheckIntake(in deployer.Intake) error {
	if len(in.Wanted)+len(in.Ignored) == 0 {
		return deployer.Errorf(deployer.CodeInvalid, "a delivery without any decision")
	}
	for _, o := range in.Wanted {
		if o.Project == "" {
			return deployer.Errorf(deployer.CodeInvalid, "an order without a project")
		}
	}
	return nil
}

// Delivery implements [deployer.Reader].
func (r *Records) Delivery(ctx context.Context, id int64) (deployer.Delivery, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Delivery, error) {
		rows, err := tx.Query(ctx, "select "+DeliveryColumns+" from deliveries where id = $1 order by line", id)
		all, err := deliveries(rows, err)
		if err == nil && len(all) == 0 {
			err = notFound("delivery", id)
		}
		if err != nil {
			return deployer.Delivery{}, err
		}
		return all[0], nil
	})
}

// Deliveries implements [deployer.Reader]. A delivery is selected by any of its
// decisions and returned with all of them.
func (r *Records) Deliveries(ctx context.Context, f deployer.DeliveryFilter) ([]deployer.Delivery, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) ([]deployer.Delivery, error) {
		var w where
		order := "id desc"
		if f.Project != "" {
			w.and("project = ?", Clean(f.Project, short))
			if d := tx.Dialect(); d.Block != "" { // says nothing new, but leads to the index
				w.conditions = append(w.conditions, d.Block+" in ("+d.Blocks+")")
				order = d.Block + " desc, id desc"
			}
		}
		if f.Verdict != "" {
			w.and("verdict = ?", string(f.Verdict))
		}
		if f.Before != 0 {
			w.and("id < ?", f.Before)
		}
		rows, err := tx.Query(ctx, "select "+DeliveryColumns+" from deliveries where id in (select distinct id from deliveries"+
			w.String()+" order by "+order+" limit "+w.arg(limit(f.Limit))+") order by id desc, line", w.args...)
		return deliveries(rows, err)
	})
}

func limit(n int) int64 {
	if n <= 0 {
		return 50
	}
	return int64(min(n, 500))
}

// deliveries puts the rows of each delivery, which follow one another, together.
func deliveries(rows Rows, err error) ([]deployer.Delivery, error) {
	out := []deployer.Delivery{}
	_, err = collect(rows, err, func(rows Rows) (struct{}, error) {
		var d deployer.Delivery
		var c deployer.Decision
		var line, received, repeated int64
		err := rows.Scan(&d.ID, &line, &d.Hook, &d.Provider, &d.ExternalID, &d.Event, &received, &d.Bytes,
			&c.Project, &c.Ref, &c.Commit, &c.Verdict, &c.Reason, &c.Deployment, &repeated)
		if err != nil {
			return struct{}{}, fmt.Errorf("scan delivery: %w", err)
		}
		if n := len(out); n == 0 || out[n-1].ID != d.ID {
			d.ReceivedAt = stamp(received)
			out = append(out, d)
		}
		last := &out[len(out)-1]
		last.Decisions = append(last.Decisions, c)
		return struct{}{}, nil
	})
	return out, err
}

// where collects conditions and their arguments.
type where struct {
	conditions []string
	args       []any
}

// and adds a condition in which ? stands for v.
func (w *where) and(condition string, v any) {
	w.conditions = append(w.conditions, strings.Replace(condition, "?", w.arg(v), 1))
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " where " + strings.Join(w.conditions, " and ")
}
