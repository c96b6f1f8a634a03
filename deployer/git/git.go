// Package git fetches exact commits into worktrees of their own.
//
// It owns one bare repository per project (the [Mirror]), what is fetched into
// it, and the worktrees that are made from it. It runs the user's own git
// through a [process.Exec], never a shell and never a library: a process can be killed.
//
// It refuses what would make a deployment hang or run foreign code: prompts,
// hooks, fsmonitor, transports other than https, http, ssh and (for local remotes) files, recursion into
// submodules unless asked for. Names, references and URLs are hostile until validated, and come after
// --end-of-options. A password in an http(s) URL reaches git through a
// credential helper that reads it from the environment; it is in no argument and in no file.
//
// Git LFS is not supported: files under LFS are checked out as their pointers.
//
// A Mirror is used by one deployment at a time. No goroutines.
package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// Mirror is the bare repository that one project is fetched into.
type Mirror struct {
	Dir    string // of the bare repository, absolute; created on first use
	Remote string // URL or path
	// Exec runs git. It adds marker and bounds, and output where Line is nil.
	Exec process.Exec
	Env  []string // environment of every git command, before the hardening variables; PATH is needed
}

// everything is the depth that git takes for no limit.
const everything = 1<<31 - 1

// Fetch makes a commit present, shallowly (depth commits; 1 if 0, all if
// negative), and returns its full name. ref is a full branch or tag name;
// commit may be empty, which means whatever ref is now, or an annotated tag,
// which means the commit that it names. A commit that is present already needs no network.
//
// If the server refuses to give a commit by name, ref is fetched, deeper and
// deeper, until it is reached. If it is not, or if ref is not there, the error
// is a [deployer.Error] with CodeInvalid: trying again will not help. A command that
// failed or was ended is a [process.ExitError].
func (m Mirror) Fetch(ctx context.Context, ref, commit string, depth int) (string, error) {
	if err := m.validate(ref, commit); err != nil {
		return "", err
	}
	if depth == 0 {
		depth = 1
	} else if depth < 0 {
		depth = everything
	}
	if commit != "" {
		if have, err := m.peel(ctx, commit); err == nil {
			return have, nil
		}
	}
	if err := m.create(ctx, commit); err != nil {
		return "", err
	}
	if commit == "" {
		return m.fetchTip(ctx, ref, depth)
	}
	err := m.fetch(ctx, depth, commit)
	if err == nil {
		return m.peel(ctx, commit)
	}
	// The server may give out nothing but its references, or is not there at
	// all: the exit code does not tell. Without a reference there is nothing else to try.
	if ref == "" || !refused(err) {
		return "", err
	}
	return m.fetchBehind(ctx, ref, commit, depth)
}

func (m Mirror) validate(ref, commit string) error {
	if !filepath.IsAbs(m.Dir) {
		return deployer.Errorf(deployer.CodeInternal, "mirror directory %q is not absolute", m.Dir)
	}
	if err := ValidRemote(m.Remote); err != nil {
		return err
	}
	switch {
	case ref == "" && commit == "":
		return invalid("neither a branch or tag nor a commit was named")
	case ref != "" && !deployer.ValidRef(ref):
		return invalid("%.100q is no branch or tag name (refs/heads/… or refs/tags/…)", ref)
	case commit != "" && !deployer.ValidCommit(commit):
		return invalid("%.100q is no full commit name", commit)
	}
	return nil
}

// invalid is the error of what no second attempt can repair.
func invalid(format string, args ...any) error {
	return deployer.Errorf(deployer.CodeInvalid, format, args...)
}

// refused reports whether git ran and said no, as opposed to having been ended.
func refused(err error) bool {
	var exit *process.ExitError
	return errors.As(err, &exit) && exit.Exit.Cause == deployer.CauseStepFailed && exit.Exit.Code > 0
}

// create makes the bare repository. Repeated, it completes what was interrupted.
func (m Mirror) create(ctx context.Context, commit string) error {
	format := "--object-format=sha1"
	if len(commit) == 64 {
		format = "--object-format=sha256"
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "HEAD")); err == nil {
		if _, err := os.Stat(filepath.Join(m.Dir, "config")); err == nil {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(m.Dir), 0o750); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	// No template: it is where hooks would come from.
	err := m.run(ctx, "", "init", "--quiet", "--bare", "--template=", "--initial-branch=none", format, "--", m.Dir)
	return err
}

// fetch fetches refspecs from the remote.
func (m Mirror) fetch(ctx context.Context, depth int, refspec string) error {
	// Progress is what keeps the silence timer quiet.
	err := m.mirror(ctx, "fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules",
		"--force", fmt.Sprintf("--depth=%d", depth), "--end-of-options", m.url(), refspec)
	return err
}

// fetchTip fetches ref and returns the commit that it is.
func (m Mirror) fetchTip(ctx context.Context, ref string, depth int) (string, error) {
	if err := m.fetch(ctx, depth, "+"+ref+":"+tip(ref)); err != nil {
		return "", m.missing(ctx, ref, err)
	}
	return m.peel(ctx, tip(ref))
}

// tip is where a fetched reference is kept. It makes the next fetch cheap: git
// tells the server what it has by its references.
func tip(ref string) string { return "refs/seadog/" + strings.TrimPrefix(ref, "refs/") }

// missing explains why ref could not be fetched. A reference that is not there
// is told from a server that is not there by asking for it alone.
func (m Mirror) missing(ctx context.Context, ref string, err error) error {
	if !refused(err) {
		return err
	}
	_, asked := m.ask(ctx, "ls-remote", "--exit-code", "--quiet", "--end-of-options", m.url(), ref)
	var exit *process.ExitError
	if errors.As(asked, &exit) && exit.Exit.Code == 2 {
		return invalid("%s is no longer in the repository", ref)
	}
	return err
}

// fetchBehind fetches ref until commit is in its history.
func (m Mirror) fetchBehind(ctx context.Context, ref, commit string, depth int) (string, error) {
	for _, d := range []int{depth, 50, 1000, everything} {
		if d < depth {
			continue
		}
		at, err := m.fetchTip(ctx, ref, d)
		if err != nil {
			return "", err
		}
		have, err := m.peel(ctx, commit)
		if err != nil && !refused(err) {
			return "", err
		}
		if err != nil {
			continue
		}
		if have == at {
			return have, nil
		}
		if _, err = m.ask(ctx, "merge-base", "--is-ancestor", have, at); err == nil {
			return have, nil
		} else if !refused(err) {
			return "", err
		}
	}
	return "", invalid("commit %.12s is no longer on %s: it was replaced by a forced push, or never was there", commit, ref)
}

// peel returns the commit that name is or, for a tag, names.
func (m Mirror) peel(ctx context.Context, name string) (string, error) {
	if _, err := os.Stat(filepath.Join(m.Dir, "HEAD")); err != nil {
		return "", err
	}
	out, err := m.ask(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(out)
	if !deployer.ValidCommit(commit) {
		return "", deployer.Errorf(deployer.CodeInternal, "git took %.100q for a commit name", commit)
	}
	return commit, nil
}

// Subject returns the first line of a commit's message, at most 200 bytes.
func (m Mirror) Subject(ctx context.Context, commit string) (string, error) {
	if !deployer.ValidCommit(commit) {
		return "", invalid("%.100q is no full commit name", commit)
	}
	out, err := m.ask(ctx, "cat-file", "commit", commit)
	if err != nil {
		return "", err
	}
	_, message, _ := strings.Cut(out, "\n\n")
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return strings.ToValidUTF8(line[:min(len(line), 200)], ""), nil
}
