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
// and nothing is answered with yes), to put a secret into an argument, and to follow the repository
// out of its worktree: Compose files, what they include and extend, build contexts,
// Dockerfiles, environment, config and secret files. Bind mounts may lead
// anywhere, as in any Compose project; the [Model] tells which ones do.
//
// The order of a deployment is Files, Config, Pull, Build, Up. Everything
// before Up leaves running containers alone. The package starts no goroutine.
package compose
