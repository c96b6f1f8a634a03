package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/seadog/seadog/deployer"
)

// workspace is the directory of one project: its mirror, and a worktree for
// each deployment that may have to run again.
type workspace struct{ dir string }

func (r *Runner) workspace(project string) workspace {
	return workspace{dir: filepath.Join(r.cfg.Data, "projects", project)}
}

func (w workspace) mirror() string    { return filepath.Join(w.dir, "mirror.git") }
func (w workspace) worktrees() string { return filepath.Join(w.dir, "worktrees") }

func (w workspace) worktree(deployment int64) string {
	return filepath.Join(w.worktrees(), strconv.FormatInt(deployment, 10))
}

// others returns the deployments that have a worktree, except those in keep.
func (w workspace) others(keep map[int64]bool) ([]int64, error) {
	entries, err := os.ReadDir(w.worktrees())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list worktrees: %w", err)
	}
	var ids []int64
	for _, e := range entries {
		if id, err := strconv.ParseInt(e.Name(), 10, 64); err == nil && !keep[id] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// kept returns the deployments whose worktrees and images are kept: the newest
// Keep healthy ones, and d itself.
func (r *Runner) kept(ctx context.Context, d deployer.Deployment) (map[int64]bool, error) {
	n := r.cfg.Projects[d.Project].Keep
	if n == 0 {
		n = defaultKeep
	}
	healthy, err := r.cfg.Store.Deployments(ctx, deployer.DeploymentFilter{
		Project: d.Project, Statuses: []deployer.Status{deployer.Succeeded}, Limit: n,
	})
	if err != nil {
		return nil, fmt.Errorf("list healthy deployments: %w", err)
	}
	keep := map[int64]bool{d.ID: true}
	for _, h := range healthy {
		keep[h.ID] = true
	}
	return keep, nil
}
