// Package compose drives the user's own `docker compose` for one project.
//
// It owns the commands: which Compose files are meant and that they stay
// inside the worktree, the arguments, the environment, what a Compose project
// consists of once its files are resolved, and the override file that pins a rollback to the
// images that were healthy. Compose is executed, never linked in, because only a
// process can be killed; how it is run, bounded and ended is up to the
// [process.Exec] that a [Stack] is given.
//
// It refuses to read a shell string, to ask questions (standard input is empty,
// and nothing is answered with yes), to put a secret into an argument, and to
// follow the repository out of its worktree: Compose files, build contexts,
// Dockerfiles, and environment, config and secret files.
//
// That keeps accidents and the simple tricks out; it is no sandbox. Whoever may
// push a Compose file may mount any path of the host, and the [Model] only tells which
// ones. What a Compose file includes or extends is read by Compose, not checked
// here: reading the repository's YAML in this process would let it spend this process's time and memory.
//
// The order of a deployment is Files, Config, Pull, Build, Up. Everything
// before Up leaves running containers alone. The package starts no goroutine.
package compose
