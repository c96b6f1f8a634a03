// Package git fetches exact commits into worktrees of their own.
package git

import (
	"github.com/seadog/seadog/deployer/process"
)

// Mirror is the bare repository that one project is fetched into.
type Mirror struct {
	Dir    string // of the bare repository; created on first use
	Remote string // URL or path
	Exec   process.Exec
	Env    []string // environment of every git command, before the hardening variables
}

// The signatures that others build on:
//
//	func (m Mirror) Fetch(ctx context.Context, ref, commit string, depth int) (string, error) // returns the commit; commit "" means: whatever ref is
//	func (m Mirror) Checkout(ctx context.Context, commit, dir string, submodules bool) error  // a worktree of its own at dir
//	func (m Mirror) Subject(ctx context.Context, commit string) (string, error)
//	func (m Mirror) Repair() error                                                            // removes what a killed git leaves behind
//	func (m Mirror) Release(ctx context.Context, dir string) error                            // forgets a worktree and deletes it
//	func ValidRemote(s string) error
