package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
)

// Rows of one statement. A statement costs more than a row, so the most frequent
// ones take many rows at once, in sizes that are powers of two, since each is prepared.
const (
	insertMany = 32
	lookupMany = 32
)

// insertInto are the statements for so many rows.
var insertInto = func() map[int]string {
	statements := map[int]string{}
	for n := insertMany; n > 0; n /= 2 {
		statements[n] = insertRows(n)
	}
	return statements
}()

// lookup takes lookupMany keys. The cross join keeps the planner from turning it around.
var lookup = "with k (hook, external_id) as (values " + tuples(lookupMany, 2) + `)
	select d.id, d.hook, d.external_id, d.project, d.ref, coalesce(p.id, 0), coalesce(p.status, '')
	from k cross join deliveries d on d.hook = k.hook and d.external_id = k.external_id
	left join deployments p on p.id = d.deployment
	where d.external_id <> '' and d.repeated = 0`

// accept decides and writes the deliveries of a batch.
func (t tx) accept(ctx context.Context, jobs []*job) error {
	intakes := make([]deployer.Intake, len(jobs))
	for i, j := range jobs {
		intakes[i] = *j.intake
	}
	round := record.NewRound(intakes)
	lanes, err := record.Lanes(ctx, t, round.Projects())
	if err != nil {
		return err
	}
	seen, err := t.sightings(ctx, round.Keys())
	if err != nil {
		return fmt.Errorf("look for earlier deliveries: %w", err)
	}
	ids, err := t.sequences(ctx)
	if err != nil {
		return fmt.Errorf("read sequences: %w", err)
	}
	round.Load(lanes, seen)
	if err := round.Decide(t.w.now(), ids); err != nil {
		return err
	}
	if err := t.store(ctx, round, ids); err != nil {
		return fmt.Errorf("store deliveries: %w", err)
	}
	for i, j := range jobs {
		j.delivery = round.Deliveries[i]
	}
	return nil
}

func (t tx) store(ctx context.Context, round *record.Round, ids *sequences) error {
	for _, d := range round.Updates {
		statement, args := record.Placing(d)
		if _, err := t.Exec(ctx, statement, args...); err != nil {
			return err
		}
	}
	for _, d := range round.Inserts {
		if _, err := t.Exec(ctx, record.InsertDeployment, record.InsertArgs(d)...); err != nil {
			return err
		}
	}
	if err := t.insert(ctx, round.Lines); err != nil {
		return err
	}
	for _, c := range round.SortedCounts() {
		if _, err := t.Exec(ctx, record.AddCount, c.Kind, c.A, c.B, 0, round.Counts[c]); err != nil {
			return err
		}
	}
	_, err := t.Exec(ctx, "update sequences set last = case name when 'delivery' then $1 else $2 end", ids.delivery, ids.deployment)
	return err
}

// insert writes the rows in as few statements as possible.
func (t tx) insert(ctx context.Context, lines []record.Line) error {
	args := make([]any, 0, insertMany*record.DeliveryWidth)
	for n := insertMany; len(lines) > 0; {
		if len(lines) < n {
			n /= 2
			continue
		}
		args = args[:0]
		for _, l := range lines[:n] {
			args = record.LineArgs(args, l)
		}
		if _, err := t.Exec(ctx, insertInto[n], args...); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// insertRows aborts the whole transaction on an error, as the batch would anyway:
// to undo only itself it would copy every page before it changes it.
func insertRows(n int) string {
	return "insert or rollback into deliveries (" + record.DeliveryColumns + ") values " + tuples(n, record.DeliveryWidth)
}

// tuples returns n times (?,?,…), each of the given width.
func tuples(n, width int) string {
	one := "(?" + strings.Repeat(",?", width-1) + ")"
	return one + strings.Repeat(","+one, n-1)
}

// sightings returns the decisions of earlier deliveries with these keys, oldest first.
func (t tx) sightings(ctx context.Context, keys []record.Key) ([]record.Sighting, error) {
	var out []sighting
	args := make([]any, 0, 2*lookupMany)
	for len(keys) > 0 {
		n := min(len(keys), lookupMany)
		args = args[:0]
		for _, k := range keys[:n] {
			args = append(args, k.Hook, k.ExternalID)
		}
		for len(args) < cap(args) {
			args = append(args, "", "") // nothing has these
		}
		found, err := t.lookup(ctx, args)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		keys = keys[n:]
	}
	// Sorting here costs nothing where nothing was found.
	slices.SortStableFunc(out, func(a, b sighting) int { return cmp.Compare(a.delivery, b.delivery) })
	seen := make([]record.Sighting, len(out))
	for i, s := range out {
		seen[i] = s.Sighting
	}
	return seen, nil
}

type sighting struct {
	record.Sighting
	delivery int64
}

func (t tx) lookup(ctx context.Context, args []any) (out []sighting, err error) {
	rows, err := t.Query(ctx, lookup, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s sighting
		if err := rows.Scan(&s.delivery, &s.Key.Hook, &s.Key.ExternalID, &s.Project, &s.Ref, &s.Deployment, &s.Status); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// sequences are the last ids that were given out.
type sequences struct{ delivery, deployment int64 }

var _ record.IDs = (*sequences)(nil)

func (s *sequences) Delivery() int64 {
	s.delivery++
	return s.delivery
}

func (s *sequences) Deployment() (int64, error) {
	s.deployment++
	return s.deployment, nil
}

func (t tx) sequences(ctx context.Context) (_ *sequences, err error) {
	rows, err := t.Query(ctx, `select d.last, p.last from sequences d, sequences p where d.name = 'delivery' and p.name = 'deployment'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	s := &sequences{}
	if !rows.Next() {
		return nil, errors.Join(rows.Err(), errors.New("they are missing"))
	}
	return s, rows.Scan(&s.delivery, &s.deployment)
}
