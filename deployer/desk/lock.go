package desk

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/seadog/seadog/deployer"
)

const longestReason = 500 // bytes

// Lock keeps a project from being deployed; it replaces the lock that there is.
func (d *Desk) Lock(ctx context.Context, by Person, project string, r deployer.LockRequest) (deployer.Lock, error) {
	p, err := d.Configured(project)
	if err != nil {
		return deployer.Lock{}, err
	}
	if !printable(r.Reason, longestReason) {
		return deployer.Lock{}, deployer.Errorf(deployer.CodeInvalid, "field \"reason\" must be one line of at most %d bytes", longestReason)
	}
	now := d.now().UTC()
	l := deployer.Lock{Project: p.Name, Owner: by.Name, Reason: r.Reason, CreatedAt: now}
	if r.For != "" {
		long, err := time.ParseDuration(r.For)
		if err != nil || long <= 0 {
			return l, deployer.Errorf(deployer.CodeInvalid, "field \"for\" must be a positive duration").WithHint("for example 90m or 12h")
		}
		expires := now.Add(long)
		l.ExpiresAt = &expires
	}
	return l, d.store.Lock(ctx, l)
}

// Unlock releases a project. CodeNotFound if it is not locked.
func (d *Desk) Unlock(ctx context.Context, project string) error {
	p, err := d.Configured(project)
	if err != nil {
		return err
	}
	if err := d.store.Unlock(ctx, p.Name); err != nil {
		return err
	}
	d.ring() // what waited behind the lock may run
	return nil
}

// Locks returns the locks that hold.
func (d *Desk) Locks(ctx context.Context) ([]deployer.Lock, error) {
	all, err := d.store.Locks(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	holding := make([]deployer.Lock, 0, len(all))
	for _, l := range all {
		if !l.Expired(now) {
			holding = append(holding, l)
		}
	}
	return holding, nil
}

// lockOf returns the lock of a project, nil if none holds.
func (d *Desk) lockOf(ctx context.Context, project string) (*deployer.Lock, error) {
	locks, err := d.Locks(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		if l.Project == project {
			return &l, nil
		}
	}
	return nil, nil //nolint:nilnil // no lock is no error
}

// printable reports whether s is one line of at most n bytes without control characters.
func printable(s string, n int) bool {
	return len(s) <= n && strings.IndexFunc(s, unicode.IsControl) < 0
}
