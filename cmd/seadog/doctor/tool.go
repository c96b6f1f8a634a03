package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// version is major and minor.
type version [2]int

func (v version) String() string { return fmt.Sprintf("%d.%d", v[0], v[1]) }

func (v version) before(w version) bool { return v[0] < w[0] || v[0] == w[0] && v[1] < w[1] }

var versionRE = regexp.MustCompile(`(\d+)\.(\d+)`)

// parseVersion finds the first version number in what a tool prints, like
// "git version 2.39.5", "v2.27.1-desktop.1" or "5.0.0".
func parseVersion(text string) (version, bool) {
	m := versionRE.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	return version{major, minor}, err1 == nil && err2 == nil
}

// output runs a command that only says something about itself. At the end of
// ctx its children, Docker's plugins, go as well.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 500 * time.Millisecond
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	first, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	return first, err
}

// examine runs a tool and holds its version against the oldest that works.
func examine(ctx context.Context, name string, oldest version, install string, command ...string) Finding {
	text, err := output(ctx, command[0], command[1:]...)
	found, ok := parseVersion(text)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return Finding{name, Fail, command[0] + " is not in PATH", install}
	case ctx.Err() != nil:
		return Finding{name, Fail, strings.Join(command, " ") + " does not end", "run it yourself, and look for a wrapper or plugin that hangs"}
	case err != nil:
		return Finding{name, Fail, fmt.Sprintf("%s: %v: %s", strings.Join(command, " "), err, text), install}
	case !ok:
		return Finding{name, Warn, fmt.Sprintf("%s says no version: %s", strings.Join(command, " "), text), "make sure that it is " + oldest.String() + " or newer"}
	case found.before(oldest):
		return Finding{name, Fail, fmt.Sprintf("%s is older than %s", text, oldest), install}
	}
	return Finding{name, OK, text, ""}
}

func compose(ctx context.Context, _ Config) []Finding {
	f := examine(ctx, "compose", version{2, 20},
		"install the Compose plugin 2.20 or newer: apt install docker-compose-plugin, or see docs.docker.com/compose/install",
		"docker", "compose", "version", "--short")
	if f.Level == OK {
		f.What = "docker compose " + f.What
	}
	return []Finding{f}
}

func buildx(ctx context.Context, _ Config) []Finding {
	f := examine(ctx, "buildx", version{0, 10}, "install it if your projects build images: apt install docker-buildx-plugin",
		"docker", "buildx", "version")
	if f.Level == Fail {
		f.Level = Warn // projects that only pull do not need it
	}
	return []Finding{f}
}

func git(ctx context.Context, _ Config) []Finding {
	return []Finding{examine(ctx, "git", version{2, 25}, "install Git 2.25 or newer: apt install git", "git", "version")}
}
