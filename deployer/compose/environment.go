package compose

import (
	"slices"
	"strings"
)

// environment is s.Env with everything decided that would change what the
// commands mean. A repository's own .env file may set COMPOSE_ variables, and
// Compose takes each one that its environment does not have: so the ones that matter are set, if only to nothing.
func (s Stack) environment() []string {
	own := []string{
		"COMPOSE_PROJECT_NAME=" + s.Project,
		"COMPOSE_FILE=",
		"COMPOSE_ENV_FILES=",
		"COMPOSE_IGNORE_ORPHANS=false",
		"COMPOSE_REMOVE_ORPHANS=true",
		"COMPOSE_ANSI=never",
		"COMPOSE_PROGRESS=plain",
		"COMPOSE_MENU=false",
		"COMPOSE_STATUS_STDOUT=false",
		"BUILDKIT_PROGRESS=plain",
		"DOCKER_CLI_HINTS=false",
	}
	env := slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, decided := lookup(own, name)
		return decided
	})
	return append(env, own...)
}

// lookup returns the last value of name in env.
func lookup(env []string, name string) (string, bool) {
	for _, kv := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
