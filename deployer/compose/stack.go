package compose

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// Stack is one Compose project in one worktree.
type Stack struct {
	Project  string // Compose project name; must be a [deployer.ValidName]
	Worktree string // absolute path; nothing outside it is followed
	Spec     deployer.Compose
	// Env is the whole environment of Compose but for the variables that decide
	// how Compose itself behaves, which the Stack sets: PATH and HOME at least; DOCKER_HOST, DOCKER_CONFIG,
	// DOCKER_CONTEXT, XDG_RUNTIME_DIR and SSH_AUTH_SOCK where the user has them;
	// the project's variables and secrets. Secrets reach Compose in no other way.
	Env  []string
	Exec process.Exec // sets marker, bounds and output
}

// Failure is a command that said no or had to be ended.
type Failure struct {
	Command string // such as "docker compose up"
	Exit    process.Exit
	Err     error // of the [process.Exec]
}

// Error says how the command ended, with the last words of one that said no.
// They are Compose's, or the project's, and not redacted.
func (f *Failure) Error() string {
	if f.Exit.Code <= 0 || f.Exit.Cause != deployer.CauseStepFailed {
		return fmt.Sprintf("`%s`: %s", f.Command, f.Exit.Reason)
	}
	s := fmt.Sprintf("`%s` ended with exit code %d", f.Command, f.Exit.Code)
	if n := len(f.Exit.Tail); n > 0 {
		s += ": " + explain(f.Exit.Tail[n-1])
	}
	return s
}

func (f *Failure) Unwrap() error { return f.Err }

// Pull pulls the images that are not built here, but for those whose service
// says pull_policy: never. It starts nothing if m has none.
func (s Stack) Pull(ctx context.Context, m Model) error {
	if !slices.ContainsFunc(m.Services, Service.pulled) {
		return nil
	}
	return s.compose(ctx, nil, "pull", "--ignore-buildable")
}

// Build builds the images that are built here. It starts nothing if m has none.
//
// It builds one after the other unless Env has a COMPOSE_PARALLEL_LIMIT: without
// BuildKit, services that share a build context would each build it, and get images
// that differ, so that a later deployment would replace what did not change. BuildKit ignores the limit.
func (s Stack) Build(ctx context.Context, m Model) error {
	if !slices.ContainsFunc(m.Services, func(s Service) bool { return s.Build }) {
		return nil
	}
	c, err := s.command(nil, append([]string{"build"}, s.buildArgs()...)...)
	if err != nil {
		return err
	}
	if _, decided := lookup(s.Env, "COMPOSE_PARALLEL_LIMIT"); !decided {
		c.Env = append(c.Env, "COMPOSE_PARALLEL_LIMIT=1")
	}
	return s.run(ctx, c)
}

// Up brings the project up from images that are there, replaces what changed
// and removes what is no longer in the project. Overrides are further Compose files, such as the one of [Stack.Pinned].
func (s Stack) Up(ctx context.Context, overrides ...string) error {
	return s.compose(ctx, overrides, "up", "--detach", "--remove-orphans", "--no-build", "--pull", "never")
}

// Version returns the version of the Compose plugin.
func (s Stack) Version(ctx context.Context) (string, error) {
	out, _, err := s.capture(ctx, process.Command{Path: "docker", Args: []string{"compose", "version", "--short"}, Env: s.environment()})
	return strings.TrimSpace(out), err
}

// compose runs one subcommand in the project.
func (s Stack) compose(ctx context.Context, overrides []string, args ...string) error {
	c, err := s.command(overrides, args...)
	if err != nil {
		return err
	}
	return s.run(ctx, c)
}

// run turns an unsuccessful exit into a [Failure].
func (s Stack) run(ctx context.Context, c process.Command) error {
	name := "docker compose " + subcommand(c.Args)
	exit, err := s.Exec(ctx, c)
	switch {
	case exit.Cause != "":
		return &Failure{Command: name, Exit: exit, Err: err}
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// command returns a subcommand in the project after everything that the
// project's own files could lead astray has been checked.
func (s Stack) command(overrides []string, args ...string) (process.Command, error) {
	files, err := s.Files()
	if err != nil {
		return process.Command{}, err
	}
	// What the files name is relative to the first one's directory, as Compose has it by itself.
	dir := filepath.Dir(files[0])
	envFiles, err := s.envFiles(dir)
	if err != nil {
		return process.Command{}, err
	}
	all := []string{"compose", "--ansi", "never", "--progress", "plain", "--project-name", s.Project, "--project-directory", dir}
	for _, f := range append(files, overrides...) {
		all = append(all, "--file", f)
	}
	for _, f := range envFiles {
		all = append(all, "--env-file", f)
	}
	for _, p := range s.Spec.Profiles {
		all = append(all, "--profile", p)
	}
	return process.Command{Path: "docker", Args: append(all, args...), Dir: dir, Env: s.environment()}, nil
}

// subcommand finds the word in args that is neither an option of Compose nor its value.
func subcommand(args []string) string {
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "--") {
			return args[i]
		}
		i++
	}
	return ""
}

// buildArgs passes a value by name alone if the environment has it, so that a
// secret that is also a build argument shows in no list of processes.
func (s Stack) buildArgs() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Spec.BuildArgs)) {
		arg := name + "=" + s.Spec.BuildArgs[name]
		if value, ok := lookup(s.Env, name); ok && (s.Spec.BuildArgs[name] == "" || s.Spec.BuildArgs[name] == value) {
			arg = name
		}
		out = append(out, "--build-arg", arg)
	}
	return out
}
