package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// data looks at the data directory, which the service may have to make first.
func data(_ context.Context, c Config) []Finding {
	dir := c.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := existing(dir)
		if unix.Access(parent, unix.W_OK|unix.X_OK) != nil {
			return []Finding{{"data", Fail, fmt.Sprintf("%s does not exist, and this user cannot make it in %s", dir, parent), "make it, and give it to the user of the service"}}
		}
		return []Finding{{"data", OK, dir + " will be made", ""}}
	case err != nil:
		return []Finding{{"data", Fail, err.Error(), "give it to the user of the service"}}
	case !info.IsDir():
		return []Finding{{"data", Fail, dir + " is not a directory", "move it away, or set data to another path"}}
	case unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) != nil:
		return []Finding{{"data", Fail, "this user cannot write to " + dir, "chown it to the user of the service, and run the doctor as that user"}}
	case info.Mode().Perm()&0o002 != 0:
		return []Finding{{"data", Warn, "everybody on this machine can write to " + dir, "chmod o-rwx " + dir}}
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return []Finding{{"data", Warn, fmt.Sprintf("%s belongs to user %d, not to the one that asks (%d)", dir, s.Uid, os.Geteuid()), "run the doctor, and the service, as one user: files of the other could not be replaced"}}
	}
	return []Finding{{"data", OK, dir + " is writable", ""}}
}

// existing returns path or the nearest directory above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// disk looks at the space of the data directory and of the engine's.
func disk(ctx context.Context, c Config) []Finding {
	findings := []Finding{space("disk data", existing(c.Data))}
	root := "/var/lib/docker"
	if cli, _, err := dial(c); err == nil {
		defer cli.Close()
		_, err := timed(ctx, callDeadline, func(ctx context.Context) error {
			info, err := cli.Info(ctx)
			if err == nil && info.DockerRootDir != "" {
				root = info.DockerRootDir
			}
			return err
		})
		if err == nil {
			if _, err := os.Stat(root); err != nil {
				return append(findings, Finding{"disk engine", OK, root + " is on another machine, or not to be seen from here", ""})
			}
		}
	}
	if _, err := os.Stat(root); err == nil {
		findings = append(findings, space("disk engine", root))
	}
	return findings
}

func space(name, path string) Finding {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Finding{name, Warn, fmt.Sprintf("the space of %s is not to be told: %v", path, err), "look with: df -h " + path}
	}
	return judgeSpace(name, path, s.Bavail*uint64(s.Bsize), s.Files, s.Ffree)
}

// judgeSpace judges free bytes, and free inodes where the file system counts them.
func judgeSpace(name, path string, free, inodes, inodesFree uint64) Finding {
	const do = "remove what is not needed: docker system prune, or make room"
	what := fmt.Sprintf("%s has %.1f GiB free", path, float64(free)/gib)
	if inodes > 0 {
		what += fmt.Sprintf(" and %d %% of its inodes", inodesFree*100/inodes)
	}
	switch {
	case free < 500*mib, inodes > 0 && inodesFree*100 < inodes:
		return Finding{name, Fail, what, do}
	case free < 5*gib, inodes > 0 && inodesFree*100 < 5*inodes:
		return Finding{name, Warn, what, do}
	}
	return Finding{name, OK, what, ""}
}

// descriptors compares the limit of open files with what one HTTP worker may need.
func descriptors(_ context.Context, c Config) []Finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return []Finding{{"descriptors", Warn, fmt.Sprintf("the limit is not to be told: %v", err), ""}}
	}
	need := uint64(c.Descriptors) + 512
	what := fmt.Sprintf("a process may open %d files; an HTTP worker needs up to %d", limit.Max, need)
	if limit.Max < need {
		return []Finding{{"descriptors", Fail, what, "LimitNOFILE=65536 in the unit, ulimits: in Compose, or a smaller limits.connections"}}
	}
	return []Finding{{"descriptors", OK, what, ""}}
}

// processes looks at how many more the control group and the user may start.
func processes(_ context.Context, _ Config) []Finding {
	const floor = 512
	if left, limit, ok := pidsLeft("/proc/self/cgroup", "/sys/fs/cgroup"); ok && left < floor {
		return []Finding{{"processes", Warn, fmt.Sprintf("only %d of %d processes are left to this control group", left, limit), "TasksMax=4096 in the unit, or pids_limit in Compose"}}
	}
	const nproc = 6 // RLIMIT_NPROC, which x/sys does not name
	var limit unix.Rlimit
	if err := unix.Getrlimit(nproc, &limit); err == nil && limit.Cur < floor {
		return []Finding{{"processes", Warn, fmt.Sprintf("this user may have only %d processes", limit.Cur), "LimitNPROC= in the unit, or ulimit -u"}}
	}
	return []Finding{{"processes", OK, "enough may be started", ""}}
}

// pidsLeft reads pids.current and pids.max of this process's control group (cgroup v2).
func pidsLeft(membership, root string) (left, limit int, ok bool) {
	text, err := os.ReadFile(membership)
	if err != nil {
		return 0, 0, false
	}
	_, path, found := strings.Cut(strings.TrimSpace(string(text)), "0::")
	if !found {
		return 0, 0, false
	}
	dir := filepath.Join(root, path)
	current, err1 := number(filepath.Join(dir, "pids.current"))
	limit, err2 := number(filepath.Join(dir, "pids.max")) // "max" is no number: no limit
	return limit - current, limit, err1 == nil && err2 == nil
}

func number(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// clock asks the kernel whether somebody keeps the time.
func clock(_ context.Context, _ Config) []Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	unsynchronised := err == nil && (state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0)
	return []Finding{judgeClock(time.Now(), unsynchronised, err)}
}

func judgeClock(now time.Time, unsynchronised bool, err error) Finding {
	switch {
	case now.Year() < 2025:
		return Finding{"clock", Fail, "the clock says " + now.Format(time.DateOnly), "set it, and enable NTP: certificates and signatures depend on it (timedatectl set-ntp true)"}
	case err != nil:
		return Finding{"clock", OK, fmt.Sprintf("the kernel does not say whether it is synchronised (%v)", err), ""}
	case unsynchronised:
		return Finding{"clock", Warn, "the clock is not synchronised", "enable NTP (timedatectl set-ntp true): signed webhooks carry times"}
	}
	return Finding{"clock", OK, "synchronised", ""}
}

// pidfd asks for what the watchdog needs to answer the clients of a frozen worker.
func pidfd(_ context.Context, _ Config) []Finding {
	const do = "allow pidfd_open and pidfd_getfd: SystemCallFilter= in the unit, cap_add: [SYS_PTRACE] in Compose; Linux 5.6 or newer"
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return []Finding{{"pidfd", Warn, fmt.Sprintf("pidfd_open is refused (%v): processes can only be killed by number", err), do}}
	}
	defer unix.Close(fd)
	if err := process.CanSeize(); err != nil {
		return []Finding{{"pidfd", Warn, fmt.Sprintf("pidfd_getfd is refused (%v): clients of a frozen worker see their connection closed instead of a 504", err), do}}
	}
	return []Finding{{"pidfd", OK, "pidfd_open and pidfd_getfd are allowed", ""}}
}
