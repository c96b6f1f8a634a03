package handoff_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog/handoff"
)

// The test binary also plays a service that systemd started.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "activated" {
		os.Exit(activatedMain(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// activatedMain answers one connection on the socket that systemd passed.
func activatedMain(address string) int {
	s, err := handoff.Listen(context.Background(), []handoff.Spec{{Name: "x", Address: address}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("listening on", s.Addr("x"), "variables:", os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_FDNAMES"))
	held, _ := s.Held("x")
	l, err := net.FileListener(os.NewFile(held.FD(), "x"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	conn, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Fprint(conn, "hello")
	_ = conn.Close()
	return 0
}

func listen(t *testing.T, specs ...handoff.Spec) *handoff.Sockets {
	t.Helper()
	s, err := handoff.Listen(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Release() })
	return s
}

func TestTCPSocketQueuesWithoutAnyAcceptor(t *testing.T) {
	t.Parallel()
	s := listen(t, handoff.Spec{Name: "public", Address: "127.0.0.1:0"})
	address := s.Addr("public").String()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("nobody listens: %v", err)
	}
	_ = conn.Close()
	if err := s.Release(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("the socket listens after its release")
	}
}

func TestAllSocketsOrNone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	for name, second := range map[string]handoff.Spec{
		"taken":         {Name: "b", Address: listen(t, handoff.Spec{Name: "x", Address: "127.0.0.1:0"}).Addr("x").String()},
		"name twice":    {Name: "a", Address: "127.0.0.1:0"},
		"no name":       {Address: "127.0.0.1:0"},
		"no address":    {Name: "b", Address: "nonsense"},
		"not passed":    {Name: "b", Address: "systemd:web"},
		"unknown owner": {Name: "b", Address: path + "2", Owner: "nobody-of-this-name"},
		"unknown group": {Name: "b", Address: path + "2", Owner: ":nobody-of-this-name"},
	} {
		if _, err := handoff.Listen(t.Context(), []handoff.Spec{{Name: "a", Address: path}, second}); err == nil {
			t.Errorf("%s was accepted", name)
		}
		for _, left := range []string{path, path + "2"} {
			if _, err := os.Lstat(left); err == nil {
				t.Errorf("%s: %s is left", name, left)
			}
		}
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	t.Run("has the mode that was asked for, and goes with its release", func(t *testing.T) {
		t.Parallel()
		for mode, want := range map[os.FileMode]os.FileMode{0: 0o660, 0o600: 0o600, 0o666: 0o666} {
			path := filepath.Join(t.TempDir(), "s")
			s := listen(t, handoff.Spec{Name: "x", Address: "unix:" + path, Mode: mode})
			if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("mode %v, %v, want %v", info.Mode(), err, want)
			}
			if err := s.Release(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(path); err == nil {
				t.Error("the file is left")
			}
		}
	})
	t.Run("has the owner that was asked for", func(t *testing.T) {
		t.Parallel()
		nobody, err := user.Lookup("nobody")
		if os.Getuid() != 0 || err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("needs root and a user nobody")
			}
			t.Skip("SKIPPED: needs root and a user nobody")
		}
		path := filepath.Join(t.TempDir(), "s")
		listen(t, handoff.Spec{Name: "x", Address: path, Owner: "nobody"})
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); fmt.Sprint(st.Uid) != nobody.Uid || st.Gid != 0 {
			t.Errorf("owner %d:%d", st.Uid, st.Gid)
		}
	})
	t.Run("replaces a file that nobody listens on", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		_ = l.Close()
		listen(t, handoff.Spec{Name: "x", Address: path})
		if conn, err := net.Dial("unix", path); err != nil {
			t.Error(err)
		} else {
			_ = conn.Close()
		}
	})
	t.Run("leaves a file alone that somebody listens on", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "s")
		listen(t, handoff.Spec{Name: "x", Address: path})
		_, err := handoff.Listen(t.Context(), []handoff.Spec{{Name: "x", Address: path}})
		if err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("second socket: %v", err)
		}
		if conn, err := net.Dial("unix", path); err != nil {
			t.Errorf("the first is gone: %v", err)
		} else {
			_ = conn.Close()
		}
	})
	t.Run("leaves alone what is no socket", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := handoff.Listen(t.Context(), []handoff.Spec{{Name: "x", Address: path}}); err == nil {
			t.Error("a file was replaced")
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("%q, %v", b, err)
		}
	})
	t.Run("does not unlink its successor's file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "s")
		s := listen(t, handoff.Spec{Name: "x", Address: path})
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		listen(t, handoff.Spec{Name: "x", Address: path})
		if err := s.Release(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Error("the successor's file is gone")
		}
	})
	t.Run("may be abstract", func(t *testing.T) {
		t.Parallel()
		name := fmt.Sprintf("@handoff-test-%d", os.Getpid())
		listen(t, handoff.Spec{Name: "x", Address: "unix:" + name})
		if conn, err := net.Dial("unix", name); err != nil {
			t.Error(err)
		} else {
			_ = conn.Close()
		}
	})
}

func TestSystemdSocket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, address, names, says string
		serves                     bool
	}{
		{"by its name", "systemd:web", "other:web", "variables: \n", true},
		{"unknown name", "systemd:web", "other:another", `systemd passed no socket of the name "web"`, false},
		{"without names", "systemd:", "", "systemd passed no socket", false},
		{"that does not listen", "systemd:other", "other:web", "does not listen", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			file, err := l.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			other := os.NewFile(uintptr(pair[0]), "other")
			defer other.Close()
			defer os.NewFile(uintptr(pair[1]), "peer").Close()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			// Only the process itself knows the pid that systemd would name.
			cmd := exec.CommandContext(ctx, "sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, exe, "activated", c.address)
			cmd.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES="+c.names)
			cmd.ExtraFiles = []*os.File{other, file}
			var out strings.Builder
			cmd.Stdout = &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.serves {
				conn, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if b, err := io.ReadAll(conn); err != nil || string(b) != "hello" {
					t.Errorf("answer %q, %v", b, err)
				}
			}
			if err := cmd.Wait(); (err == nil) != c.serves {
				t.Errorf("service ended with %v", err)
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("service said %q, want %q", out.String(), c.says)
			}
		})
	}
}

func TestAPortThatIsAboutToBecomeFreeIsWaitedFor(t *testing.T) {
	t.Parallel()
	before, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	released := time.AfterFunc(200*time.Millisecond, func() { _ = before.Close() })
	defer released.Stop()
	s, err := handoff.Listen(t.Context(), []handoff.Spec{{Name: "web", Address: before.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Release(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := handoff.Listen(ctx, []handoff.Spec{{Name: "web", Address: other.Addr().String()}}); err == nil {
		t.Error("a port in use was taken")
	}
}
