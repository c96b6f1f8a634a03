package compose

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seadog/seadog/deployer"
)

// candidates are looked for in this order if the project names no file. No
// override file is added to them: those are for a developer's machine.
func candidates() []string {
	return []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}
}

// Files returns the absolute paths of the project's Compose files. One that
// leads out of the worktree or is not there is an error with [deployer.CodeInvalid].
func (s Stack) Files() ([]string, error) {
	if !deployer.ValidName(s.Project) {
		return nil, invalid("Compose project name %q is not made of lower-case letters, digits, - and _", s.Project)
	}
	t, err := openTree(s.Worktree)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.holdsDir("compose directory", s.Spec.Directory); err != nil {
		return nil, err
	}
	names, err := s.names(t)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range names {
		path := t.local(s.Spec.Directory, name)
		if err := t.holdsFile("compose file", name, path); err != nil {
			return nil, err
		}
		files = append(files, filepath.Join(s.Worktree, path))
	}
	return files, nil
}

// names returns the configured files, or the first candidate, below the compose directory.
func (s Stack) names(t *tree) ([]string, error) {
	if len(s.Spec.Files) > 0 {
		return s.Spec.Files, nil
	}
	for _, name := range candidates() {
		// Only absence moves on: a candidate that is there but leads astray is named.
		if _, err := t.root.Lstat(filepath.Join(s.Spec.Directory, name)); !errors.Is(err, fs.ErrNotExist) {
			return []string{name}, nil
		}
	}
	return nil, invalid("no Compose file in the repository").
		WithHint("looked for compose.yaml, compose.yml, docker-compose.yaml and docker-compose.yml in %q; name it in the project's compose files", filepath.Join("/", s.Spec.Directory))
}

// envFiles returns the absolute paths of the configured environment files.
// Absolute ones come from the configuration, not from the repository: they may
// be anywhere on the host. Without any, Compose reads .env in dir; that one is the repository's.
func (s Stack) envFiles(dir string) ([]string, error) {
	t, err := openTree(s.Worktree)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if len(s.Spec.EnvFiles) == 0 {
		return nil, t.holds("env file", filepath.Join(dir, ".env"))
	}
	var out []string
	for _, name := range s.Spec.EnvFiles {
		if filepath.IsAbs(name) {
			if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
				return nil, invalid("env file %q is not a readable file on this machine", name)
			}
			out = append(out, name)
			continue
		}
		path := filepath.Join(s.Spec.Directory, name)
		if err := t.holdsFile("env file", name, path); err != nil {
			return nil, err
		}
		out = append(out, filepath.Join(s.Worktree, path))
	}
	return out, nil
}

func invalid(format string, args ...any) *deployer.Error {
	return deployer.Errorf(deployer.CodeInvalid, format, args...)
}
