package web_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// BenchmarkOverview makes the overview of 100 projects with 10,000 deployments.
// The bar is 50 ms.
func BenchmarkOverview(b *testing.B) {
	const projects, deployments = 98, 10_000
	s := start(b, setting{projects: projects})
	fill(b, s, projects, deployments)
	v := s.signedIn(adminToken)
	slowest := time.Duration(0)
	for b.Loop() {
		begun := time.Now()
		if a := v.get("/"); a.status != http.StatusOK {
			b.Fatal(a)
		}
		slowest = max(slowest, time.Since(begun))
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms-max")
	if mean := b.Elapsed() / time.Duration(b.N); mean > 50*time.Millisecond {
		b.Errorf("the overview takes %s, the bar is 50 ms", mean)
	}
}

// fill writes deployments of many projects, one in seven of which failed, and of
// two projects all.
func fill(b *testing.B, s *service, projects, deployments int) {
	b.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "seadog.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i <= deployments; i++ {
		status := deployer.Succeeded
		if i%7 == 0 || i%projects < 2 {
			status = deployer.Failed
		}
		at := time.Now().Add(time.Duration(i-deployments) * time.Minute).UnixMicro()
		_, err := tx.Exec(`insert into deployments (id, project, triggered, ref, attempt, origin, overrides, created_at, status, outcome, cause, reason,
			commit_sha, before_sha, message, actor, superseded_by, coalesced, started_at, finished_at, step, stalled_since, cancel_by, node, boot, pid,
			started, heartbeat_at, marker, images) values ($1, $2, 'push', 'refs/heads/main', 1, 0, 0, $3, $4, '', '', '', $5, '', $6, 'octocat', 0, 0, $3,
			$3, 'finish', 0, '', 'node', 'boot', 1, 1, $3, '', '[]')`,
			i, fmt.Sprintf("project-%03d", i%projects), at, string(status), commitOf(i), "Fix the width of the basket on small phones and elsewhere")
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	if _, err := s.store.Deployments(context.Background(), deployer.DeploymentFilter{Limit: 1}); err != nil {
		b.Fatal(err)
	}
}
