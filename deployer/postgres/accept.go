package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/budget"
	"github.com/seadog/seadog/deployer/record"
)

// sightings finds earlier deliveries. Lateral with an order and a limit leaves the
// planner nothing but the index, whatever it knows about the table.
const sightings = `select k.hook, k.external_id, d.project, d.ref, coalesce(p.id, 0), coalesce(p.status, '')
	from unnest($1::text[], $2::text[]) as k (hook, external_id)
	cross join lateral (
		select id, project, ref, deployment from deliveries s
		where s.hook = k.hook and s.external_id = k.external_id and s.external_id <> '' and s.repeated = 0
		order by id limit 1000
	) d
	left join deployments p on p.id = d.deployment
	order by d.id`

const nextIDs = "select nextval($1::text::regclass) from generate_series(1, $2::bigint)"

var insertDeliveries = "insert into deliveries (" + record.DeliveryColumns + ") select * from unnest(" + arrayTypes() + ")"

// arrayTypes returns $1::bigint[], $2::text[], … for the columns of a delivery.
func arrayTypes() string {
	var zero record.Line
	zero.Delivery, zero.Decision = &deployer.Delivery{}, &deployer.Decision{}
	types := make([]string, 0, record.DeliveryWidth)
	for i, v := range record.LineArgs(nil, zero) {
		kind := "bigint"
		if _, ok := v.(string); ok {
			kind = "text"
		}
		types = append(types, fmt.Sprintf("$%d::%s[]", i+1, kind))
	}
	return strings.Join(types, ", ")
}

// commit decides and writes a batch of deliveries in one transaction.
func (s *Store) commit(ctx context.Context, take func() []deployer.Intake) ([]deployer.Delivery, error) {
	ctx, cancel := context.WithTimeout(budget.Shared(ctx), s.deadline)
	defer cancel()
	intakes := take()
	if len(intakes) == 0 {
		return nil, nil
	}
	var out []deployer.Delivery
	err := s.transact(ctx, func(t *tx) (err error) {
		out, err = s.accept(ctx, t, intakes)
		return err
	})
	return out, err
}

func (s *Store) accept(ctx context.Context, t *tx, intakes []deployer.Intake) ([]deployer.Delivery, error) {
	round := record.NewRound(intakes)
	lanes, err := record.Lanes(ctx, t, round.Projects())
	if err != nil {
		return nil, err
	}
	free := 0
	for _, l := range lanes {
		if l.Pending == nil {
			free++
		}
	}
	seen, ids, err := t.lookup(ctx, round.Keys(), len(intakes), free)
	if err != nil {
		return nil, fmt.Errorf("look for earlier deliveries: %w", err)
	}
	ids.more = func() (int64, error) { return t.nextDeployment(ctx) }
	round.Load(lanes, seen)
	if err := round.Decide(s.Now(), ids); err != nil {
		return nil, err
	}
	if err := t.store(ctx, round); err != nil {
		return nil, fmt.Errorf("store deliveries: %w", err)
	}
	return round.Deliveries, nil
}

// lookup finds earlier deliveries and fetches ids: as many as there are
// deliveries, and as many as there are projects where nothing waits, since
// those are the likely ones to get a deployment.
func (t *tx) lookup(ctx context.Context, keys []record.Key, deliveries, deployments int) ([]record.Sighting, *ids, error) {
	hooks, externals := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		hooks[i], externals[i] = k.Hook, k.ExternalID
	}
	var seen []record.Sighting
	next := &ids{}
	b := &pgx.Batch{}
	b.Queue(sightings, hooks, externals).Query(func(r pgx.Rows) (err error) {
		seen, err = pgx.CollectRows(r, func(r pgx.CollectableRow) (s record.Sighting, err error) {
			return s, r.Scan(&s.Key.Hook, &s.Key.ExternalID, &s.Project, &s.Ref, &s.Deployment, &s.Status)
		})
		return err
	})
	b.Queue(nextIDs, "delivery_ids", int64(deliveries)).Query(func(r pgx.Rows) (err error) {
		next.delivery, err = pgx.CollectRows(r, pgx.RowTo[int64])
		return err
	})
	b.Queue(nextIDs, "deployment_ids", int64(deployments)).Query(func(r pgx.Rows) (err error) {
		next.deployment, err = pgx.CollectRows(r, pgx.RowTo[int64])
		return err
	})
	if err := t.tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, nil, err
	}
	slices.Sort(next.delivery)
	slices.Sort(next.deployment)
	return seen, next, nil
}

func (t *tx) nextDeployment(ctx context.Context) (id int64, err error) {
	return id, t.tx.QueryRow(ctx, dialect().NextDeployment).Scan(&id)
}

func (t *tx) store(ctx context.Context, round *record.Round) error {
	b := &pgx.Batch{}
	for _, d := range round.Updates {
		statement, args := record.Placing(d)
		b.Queue(statement, args...)
	}
	for _, d := range round.Inserts {
		b.Queue(record.InsertDeployment, record.InsertArgs(d)...)
	}
	b.Queue(insertDeliveries, columns(round.Lines)...)
	for _, c := range round.SortedCounts() {
		b.Queue(record.AddCount, c.Kind, c.A, c.B, int64(shard()), round.Counts[c])
	}
	if len(round.Inserts) > 0 {
		t.Ring()
	}
	return t.tx.SendBatch(ctx, b).Close()
}

// columns turns rows into one array for each column.
func columns(lines []record.Line) []any {
	numbers := make([][]int64, record.DeliveryWidth)
	texts := make([][]string, record.DeliveryWidth)
	row := make([]any, 0, record.DeliveryWidth)
	for _, l := range lines {
		row = record.LineArgs(row[:0], l)
		for c, v := range row {
			switch v := v.(type) {
			case int64:
				numbers[c] = append(numbers[c], v)
			case string:
				texts[c] = append(texts[c], v)
			}
		}
	}
	out := make([]any, record.DeliveryWidth)
	for c := range out {
		if out[c] = texts[c]; numbers[c] != nil {
			out[c] = numbers[c]
		}
	}
	return out
}

// ids hands out what was fetched, then asks for more.
type ids struct {
	delivery, deployment []int64
	more                 func() (int64, error)
}

var _ record.IDs = (*ids)(nil)

// Delivery panics if there are more deliveries than ids were fetched, which cannot be.
func (i *ids) Delivery() int64 {
	id := i.delivery[0]
	i.delivery = i.delivery[1:]
	return id
}

func (i *ids) Deployment() (int64, error) {
	if len(i.deployment) == 0 {
		if i.more == nil {
			return 0, errors.New("no ids left")
		}
		return i.more()
	}
	id := i.deployment[0]
	i.deployment = i.deployment[1:]
	return id, nil
}
