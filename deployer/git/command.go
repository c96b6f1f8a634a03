package git

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// answerSize bounds what is read of the answer of one git command.
const answerSize = 1 << 20

// mirror runs a git command on the bare repository. Its output is for the log.
func (m Mirror) mirror(ctx context.Context, args ...string) error {
	return m.run(ctx, "", append([]string{"--git-dir=" + m.Dir}, args...)...)
}

// ask runs a git command on the bare repository and returns what it answers.
func (m Mirror) ask(ctx context.Context, args ...string) (string, error) {
	var answer strings.Builder
	c := m.command("", append([]string{"--git-dir=" + m.Dir}, args...))
	c.Line = func(s process.Stream, line []byte) {
		if s == process.Stdout && answer.Len()+len(line) < answerSize {
			answer.Write(line)
			answer.WriteByte('\n')
		}
	}
	if err := m.exec(ctx, c); err != nil {
		return "", err
	}
	return answer.String(), nil
}

// run runs git, in the worktree at dir if that is not empty.
func (m Mirror) run(ctx context.Context, dir string, args ...string) error {
	return m.exec(ctx, m.command(dir, args))
}

func (m Mirror) command(dir string, args []string) process.Command {
	return process.Command{Path: "git", Args: args, Env: m.environ(dir), Dir: dir}
}

func (m Mirror) exec(ctx context.Context, c process.Command) error {
	exit, err := m.Exec(ctx, c)
	if err != nil {
		return explain(verb(c.Args), exit, err)
	}
	return nil
}

func verb(args []string) string {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return ""
}

// explain names the command, and prefers git's first complaint to its last
// words, which are often advice, or a consequence.
func explain(verb string, exit process.Exit, err error) error {
	if exit.Cause != deployer.CauseStepFailed {
		return fmt.Errorf("git %s: %w", verb, err)
	}
	for _, prefix := range []string{"fatal: ", "error: "} {
		for _, line := range exit.Tail {
			if text, ok := strings.CutPrefix(line, prefix); ok {
				exit.Reason = "git " + verb + ": " + text
				return &process.ExitError{Exit: exit, Err: err}
			}
		}
	}
	return fmt.Errorf("git %s: %w", verb, err)
}

// overridden are variables of the caller that would lead git to another
// repository, or that are set below.
var overridden = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_SHALLOW_FILE",
	"GIT_EXTERNAL_DIFF", "GIT_TEMPLATE_DIR", "GIT_PROXY_COMMAND", "GIT_EDITOR", "GIT_PAGER", "GIT_TRACE", "LANG", "LANGUAGE",
}

const sshCommand = "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15 -oServerAliveCountMax=4"

// environ is the complete environment of a git command. Each variable is there once: of
// two, programs take either.
func (m Mirror) environ(dir string) []string {
	user := map[string]string{}
	var order []string
	for _, e := range m.Env {
		name, value, ok := strings.Cut(e, "=")
		if _, known := user[name]; ok && !known {
			order = append(order, name)
		}
		user[name] = value
	}
	count, _ := strconv.Atoi(user["GIT_CONFIG_COUNT"]) // 0 if it is not a number, as there are no numbered ones then
	ours := m.hardening(dir, max(count, 0))
	for _, name := range overridden {
		delete(user, name)
	}
	_, ssh := user["GIT_SSH_COMMAND"]
	_, sshProgram := user["GIT_SSH"]
	var env []string
	if !ssh && !sshProgram {
		env = append(env, "GIT_SSH_COMMAND="+sshCommand)
	}
	for _, e := range ours {
		name, _, _ := strings.Cut(e, "=")
		delete(user, name)
	}
	for _, name := range order {
		if value, ok := user[name]; ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, ours...)
}

// hardening keeps git from asking, waiting, and running what came with a
// repository. first is the number of the first free configuration variable.
func (m Mirror) hardening(dir string, first int) []string {
	protocols := "https:http:ssh"
	if m.local() {
		protocols += ":file"
	}
	env := []string{
		"LC_ALL=C",
		"GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "GIT_ASKPASS=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
		"GIT_ALLOW_PROTOCOL=" + protocols, // of the submodules as well
		"GIT_LFS_SKIP_SMUDGE=1",
		"GIT_OPTIONAL_LOCKS=0",
	}
	settings := [][2]string{
		{"core.hooksPath", os.DevNull},
		{"core.fsmonitor", "false"},
		{"core.askPass", ""},
		{"protocol.ext.allow", "never"},
		{"http.lowSpeedLimit", "1"}, // bytes/s: a server that thinks sends a sign of life every 5 s
		{"http.lowSpeedTime", "60"},
		{"submodule.recurse", "false"},
		{"fetch.recurseSubmodules", "false"},
		{"fetch.unpackLimit", "1"}, // always a pack: it is there completely or not at all, also after a kill
		{"gc.autoDetach", "false"},
		{"maintenance.auto", "false"},
		{"advice.detachedHead", "false"},
		{"safe.directory", m.Dir},
		{"transfer.fsckObjects", "true"},
		// Old and harmless, in the history of well-known repositories.
		{"fetch.fsck.zeroPaddedFilemode", "ignore"},
		{"fetch.fsck.missingSpaceBeforeDate", "ignore"},
		{"fetch.fsck.badTimezone", "ignore"},
	}
	if dir != "" {
		settings = append(settings, [2]string{"safe.directory", dir}, [2]string{"remote.origin.url", m.url()})
	}
	helper, secret := m.credentials()
	settings, env = append(settings, helper...), append(env, secret...)
	for i, s := range settings {
		n := strconv.Itoa(first + i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+s[0], "GIT_CONFIG_VALUE_"+n+"="+s[1])
	}
	return append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(first+len(settings)))
}
