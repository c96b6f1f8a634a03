package sqlite_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/storetest"
)

// older returns a connection of a service of the first version, whose schema it made.
func older(t *testing.T, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_busy_timeout=10000&_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := fs.Sub(os.DirFS("."), "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// A rolling replacement has the older version work on while the newer one has
// changed the schema already.
func TestAnOlderVersionWorksBesideThis(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seadog.db")
	conn := older(t, path)
	prepare := func(statement string) *sql.Stmt {
		s, err := conn.PrepareContext(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	insert := prepare(`insert into deliveries (id, line, hook, provider, external_id, event, received_at, bytes,
		project, ref, commit_sha, verdict, reason, deployment, repeated)
		values (?, 0, 'web', 'github', ?, 'push', 1, 1, 'web', 'refs/heads/main', '', 'ignored', '', 0, 0)`)
	seen := prepare(`with k (hook, external_id) as (values (?, ?)) select d.id from k
		cross join deliveries d on d.hook = k.hook and d.external_id = k.external_id
		where d.external_id <> '' and d.repeated = 0 order by d.id`)
	listed := prepare("select distinct id from deliveries where project = ? order by id desc limit 50")
	add := func(id int64) {
		t.Helper()
		if _, err := insert.ExecContext(t.Context(), id, fmt.Sprint(id)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), "update sequences set last = ? where name = 'delivery'", id); err != nil {
			t.Fatal(err)
		}
	}
	add(1)

	s := open(t, path)
	in := storetest.StormIntake("", 0, 0)
	in.Hook, in.Wanted[0].Project, in.Wanted[0].Ref, in.ExternalID = "web", "web", "refs/heads/main", "1"
	if d := accept(t, s, in); d.ID != 2 || d.Decisions[0].Verdict != deployer.VerdictDuplicate {
		t.Errorf("a delivery of before: %+v, want a duplicate", d)
	}
	in.ExternalID = "new"
	accept(t, s, in)

	add(4)
	for id, want := range map[string]int64{"1": 1, "new": 3, "4": 4} {
		if got := numbers(t, seen, "web", id); !cmp.Equal(got, []int64{want}) {
			t.Errorf("the older one sees %v for id %s, want %d", got, id, want)
		}
	}
	if got := numbers(t, listed, "web"); !cmp.Equal(got, []int64{4, 3, 2, 1}) {
		t.Errorf("the older one lists %v", got)
	}
	in.ExternalID = "4"
	if d := accept(t, s, in); d.ID != 5 || d.Decisions[0].Verdict != deployer.VerdictDuplicate {
		t.Errorf("a delivery that the older one accepted: %+v, want a duplicate", d)
	}
}

func numbers(t *testing.T, s *sql.Stmt, args ...any) (out []int64) {
	t.Helper()
	rows, err := s.QueryContext(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func accept(t *testing.T, s deployer.Store, in deployer.Intake) deployer.Delivery {
	t.Helper()
	d, err := s.Accept(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
