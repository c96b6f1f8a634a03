package doctor_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/cmd/seadog/doctor"
)

func TestEverythingIsExaminedWithinItsTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	findings := doctor.Examine(t.Context(), doctor.Config{
		Getenv: noEnvironment, Everything: true, Data: t.TempDir(), Unconfigured: "seadog.yml: there is no such file",
	})
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("took %s", took)
	}
	seen := map[string]bool{}
	for _, f := range findings {
		seen[f.Name] = true
	}
	for _, name := range []string{"configuration", "engine", "compose", "buildx", "git", "data", "disk data", "descriptors", "processes", "clock", "proxies", "pidfd"} {
		if !seen[name] {
			t.Errorf("no finding about %s", name)
		}
	}
	expect(t, findings, "configuration", doctor.Warn, "there is no such file")
	expect(t, findings, "git", doctor.OK, "git version")
}

func TestAProbeThatCannotBeInterruptedIsReported(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	findings := doctor.Hang(t.Context(), 50*time.Millisecond, release)
	expect(t, findings, "hangs", doctor.Fail, "hangs")
	expect(t, findings, "answers", doctor.OK, "")
}

func TestTheDataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		level doctor.Level
		what  string
	}{
		dir:                          {doctor.OK, "is writable"},
		filepath.Join(dir, "a", "b"): {doctor.OK, "will be made"},
		file:                         {doctor.Fail, "not a directory"},
		open:                         {doctor.Warn, "everybody"},
		"/proc/nowhere/" + filepath.Base(t.Name()): {doctor.Fail, "cannot make it"},
	} {
		findings := doctor.Only(t.Context(), "data", doctor.Config{Getenv: noEnvironment, Data: path})
		if strings.HasPrefix(path, "/proc") && os.Geteuid() == 0 {
			continue // access(2) grants root everything
		}
		expect(t, findings, "data", want.level, want.what)
	}
}

func TestSpaceIsJudgedByBytesAndInodes(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for _, c := range []struct {
		free, inodes, inodesFree uint64
		want                     doctor.Level
	}{
		{100 * gib, 1000, 500, doctor.OK},
		{100 * gib, 0, 0, doctor.OK}, // a file system that does not count inodes
		{4 * gib, 1000, 500, doctor.Warn},
		{gib / 4, 1000, 500, doctor.Fail},
		{100 * gib, 1000, 40, doctor.Warn},
		{100 * gib, 1000, 9, doctor.Fail},
	} {
		if got := doctor.JudgeSpace("disk", "/x", c.free, c.inodes, c.inodesFree); got.Level != c.want {
			t.Errorf("%+v is %s %q", c, got.Level, got.What)
		}
	}
}

func TestTheClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now            time.Time
		unsynchronised bool
		err            error
		want           doctor.Level
	}{
		{now, false, nil, doctor.OK},
		{now, true, nil, doctor.Warn},
		{now, false, os.ErrPermission, doctor.OK},
		{time.Unix(0, 0), false, nil, doctor.Fail},
	} {
		if got := doctor.JudgeClock(c.now, c.unsynchronised, c.err); got.Level != c.want {
			t.Errorf("%+v is %s %q", c, got.Level, got.What)
		}
	}
}

func TestThePidsThatAControlGroupHasLeft(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	group := filepath.Join(root, "system.slice", "seadog.service")
	files := map[string]string{
		filepath.Join(root, "membership"):    "0::/system.slice/seadog.service\n",
		filepath.Join(group, "pids.current"): "4000\n",
		filepath.Join(group, "pids.max"):     "4096\n",
	}
	write := func() {
		t.Helper()
		for path, text := range files {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write()
	if left, limit, ok := doctor.PidsLeft(filepath.Join(root, "membership"), root); left != 96 || limit != 4096 || !ok {
		t.Errorf("left %d of %d, %v", left, limit, ok)
	}
	files[filepath.Join(group, "pids.max")] = "max\n"
	write()
	if _, _, ok := doctor.PidsLeft(filepath.Join(root, "membership"), root); ok {
		t.Error("no limit was taken for one")
	}
}

func TestPortsNameWhoHasThem(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken, free := l.Addr().String(), unused(t)
	_, takenPort, _ := net.SplitHostPort(taken)
	_, freePort, _ := net.SplitHostPort(free)
	findings := doctor.Only(t.Context(), "ports", doctor.Config{
		Getenv: noEnvironment, Ports: []string{taken, free, "127.0.0.1:0", ":" + takenPort},
	})
	expect(t, findings, "port "+takenPort, doctor.Fail, fmt.Sprintf("(pid %d)", os.Getpid()))
	expect(t, findings, "port "+freePort, doctor.OK, "free")
	if len(findings) != 3 || findings[2].Level != doctor.Fail {
		t.Errorf("findings = %+v, want the port taken for every address as well", findings)
	}
}

const procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 12346 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0
`

func TestListenersAreReadFromTheKernelsTable(t *testing.T) {
	t.Parallel()
	addresses, inodes := doctor.ParseListeners([]byte(procNetTCP))
	want := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("[::1]:80")}
	if diff := cmp.Diff(want, addresses, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"12345", "99"}, inodes); diff != "" {
		t.Errorf("inodes: -want +got\n%s", diff)
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add([]byte(procNetTCP))
	f.Fuzz(func(t *testing.T, text []byte) {
		addresses, inodes := doctor.ParseListeners(text)
		if len(addresses) != len(inodes) {
			t.Error("addresses and inodes differ in number")
		}
		for _, a := range addresses {
			if !a.IsValid() {
				t.Error("an invalid address")
			}
		}
	})
}

func TestAProxyThatCatchesLocalhostIsWarnedOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environment map[string]string
		level       doctor.Level
		what        string
	}{
		{nil, doctor.OK, "none"},
		{map[string]string{"HTTP_PROXY": "http://u:hunter2@proxy:3128"}, doctor.Warn, "HTTP_PROXY=http://u:xxxxx@proxy:3128 also applies to localhost and 127.0.0.1"},
		{map[string]string{"https_proxy": "http://proxy:3128", "no_proxy": "localhost"}, doctor.Warn, "also applies to 127.0.0.1"},
		{map[string]string{"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost, 127.0.0.0/8"}, doctor.OK, "proxy:3128"},
	} {
		findings := doctor.Only(t.Context(), "proxies", doctor.Config{Getenv: func(name string) string { return c.environment[name] }})
		expect(t, findings, "proxies", c.level, c.what)
	}
}
