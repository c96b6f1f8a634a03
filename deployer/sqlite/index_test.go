package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/storetest"
)

// The index by project is made of blocks of 256 deliveries.
func TestDeliveriesOfAProjectAreFoundInEveryBlock(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "seadog.db"))
	rare := map[int]bool{0: true, 255: true, 300: true, 301: true, 1100: true}
	var all sync.WaitGroup
	var want []int64
	for n := range 1200 {
		in := storetest.StormIntake("", 0, n)
		if rare[n] {
			all.Wait()
			in.Wanted[0].Project = "rare"
			want = append([]int64{accept(t, s, in).ID}, want...)
			continue
		}
		all.Go(func() {
			if _, err := s.Accept(t.Context(), in); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := ids(t, s, deployer.DeliveryFilter{Project: "rare"}); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var paged []int64
	for f := (deployer.DeliveryFilter{Project: "rare", Limit: 2}); ; f.Before = paged[len(paged)-1] {
		page := ids(t, s, f)
		if paged = append(paged, page...); len(page) < f.Limit {
			break
		}
	}
	if !cmp.Equal(paged, want) {
		t.Errorf("in pages %v, want %v", paged, want)
	}
	if got := ids(t, s, deployer.DeliveryFilter{Project: "none"}); len(got) != 0 {
		t.Errorf("got %v of a project that has none", got)
	}
}

func ids(t *testing.T, s deployer.Store, f deployer.DeliveryFilter) (out []int64) {
	t.Helper()
	found, err := s.Deliveries(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		out = append(out, d.ID)
	}
	return out
}

// Without its index each of these would read a whole table for every batch or page.
func TestFrequentStatementsAreLedByIndexes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	open(t, path)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e := explainer{db}
	_, listing := record.New(e, time.Now).Deliveries(t.Context(), deployer.DeliveryFilter{Project: "web"})
	_, lanes := record.Lanes(t.Context(), e, []string{"api", "web"})
	_, lookup := e.Query(t.Context(), sqlite.Lookup)
	for name, c := range map[string]struct {
		plan error
		want string
	}{
		"deliveries of a project": {listing, "deliveries USING COVERING INDEX deliveries_block (<expr>=? AND project=?)"},
		"lanes":                   {lanes, "deployments USING INDEX deployments_active (project=?)"},
		"earlier deliveries":      {lookup, "d USING INDEX deliveries_known (external_id=? AND hook=?)"},
	} {
		var plan plan
		if !errors.As(c.plan, &plan) {
			t.Errorf("%s: %v", name, c.plan)
		} else if !strings.Contains(string(plan), c.want) || strings.Contains(string(plan), "FOR ORDER BY") {
			t.Errorf("%s: want %q and no sorting, got\n%s", name, c.want, plan)
		}
	}
}

// explainer is a database that answers the first statement with its plan.
type explainer struct{ db *sql.DB }

type plan string

func (p plan) Error() string { return string(p) }

func (e explainer) Read(ctx context.Context, fn func(context.Context, record.Tx) error) error {
	return fn(ctx, e)
}

func (e explainer) Write(ctx context.Context, fn func(context.Context, record.Tx) error) error {
	return fn(ctx, e)
}

func (e explainer) Query(ctx context.Context, statement string, args ...any) (record.Rows, error) {
	for len(args) < strings.Count(statement, "?") {
		args = append(args, "")
	}
	rows, err := e.db.QueryContext(ctx, "explain query plan "+statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var p plan
	for rows.Next() {
		var id, parent, unused int64
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		p += plan(step + "\n")
	}
	return nil, errors.Join(p, rows.Err())
}

func (explainer) Exec(context.Context, string, ...any) (int64, error) {
	return 0, errors.New("an explainer does not write")
}
func (explainer) Own(context.Context, []string) error { return nil }
func (explainer) Ring()                               {}
func (explainer) Dialect() record.Dialect             { return sqlite.Dialect() }
