package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"golang.org/x/sys/unix"
)

const (
	startTime = 20 * time.Second
	stopTime  = 15 * time.Second
)

// Engine is a dockerd that belongs to a test.
type Engine struct {
	Socket string   // path
	Env    []string // PATH, HOME and DOCKER_HOST: what the docker command needs to reach it
	PID    int      // of dockerd

	dir    string
	bridge bridge
	docker *client.Client
	exited chan struct{} // closed when dockerd is gone
}

// Host is the address of the engine as DOCKER_HOST has it.
func (e *Engine) Host() string { return "unix://" + e.Socket }

// Start starts an engine that ends with the test.
func Start(tb testing.TB) *Engine {
	tb.Helper()
	require(tb)
	e, err := start()
	if err != nil {
		tb.Fatalf("start a private dockerd: %v", err)
	}
	tb.Cleanup(func() {
		if err := e.stop(); err != nil {
			tb.Errorf("stop the private dockerd: %v", err)
		}
	})
	return e
}

// Shared is an engine for all tests of a package, started by the first that
// asks for it. The zero value is ready.
type Shared struct {
	once   sync.Once
	engine *Engine
	err    error
}

// Start returns the engine.
func (s *Shared) Start(tb testing.TB) *Engine {
	tb.Helper()
	require(tb)
	s.once.Do(func() { s.engine, s.err = start() })
	if s.err != nil {
		tb.Fatalf("start a private dockerd: %v", s.err)
	}
	return s.engine
}

// Stop ends the engine if there is one. It belongs at the end of TestMain.
func (s *Shared) Stop() error {
	if s.engine == nil {
		return nil
	}
	return s.engine.stop()
}

// require skips the test if something is missing that a person can install.
func require(tb testing.TB) {
	tb.Helper()
	if missing := missing(tb.Context()); missing != "" {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("this test needs %s", missing)
		}
		tb.Skipf("SKIPPED: this test needs %s", missing)
	}
}

func missing(ctx context.Context) string {
	if os.Geteuid() != 0 {
		return "root, to start a dockerd of its own"
	}
	for _, name := range []string{"dockerd", "containerd", "docker"} {
		if _, err := exec.LookPath(name); err != nil {
			return name + " on PATH"
		}
	}
	if err := exec.CommandContext(ctx, "docker", "compose", "version").Run(); err != nil {
		return "the Compose plugin of docker"
	}
	return ""
}

func start() (*Engine, error) {
	// Not a test's TempDir: the paths of sockets must stay short.
	dir, err := os.MkdirTemp("", "seadog-engine-")
	if err != nil {
		return nil, err
	}
	e := &Engine{
		Socket: filepath.Join(dir, "docker.sock"),
		dir:    dir,
		exited: make(chan struct{}),
	}
	e.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOCKER_HOST=" + e.Host()}
	if e.docker, err = client.NewClientWithOpts(client.WithHost(e.Host()), client.WithAPIVersionNegotiation()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if e.bridge, err = newBridge(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := e.launch(); err != nil {
		return nil, errors.Join(err, e.bridge.remove(), os.RemoveAll(dir))
	}
	if err := e.ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, e.log()), e.stop())
	}
	return e, nil
}

// launch starts dockerd on a thread of its own, because the signal that ends
// it when this process dies without a word is tied to the thread that started it.
func (e *Engine) launch() error {
	logFile, err := os.Create(filepath.Join(e.dir, "dockerd.log"))
	if err != nil {
		return err
	}
	cmd := exec.Command("dockerd",
		"--data-root", filepath.Join(e.dir, "data"),
		"--exec-root", filepath.Join(e.dir, "exec"),
		"--pidfile", filepath.Join(e.dir, "dockerd.pid"),
		"--host", e.Host(),
		"--bridge", e.bridge.name, "--iptables=false", "--ip6tables=false",
		"--log-level", "warn",
	)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(e.exited)
		defer logFile.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ends is nobody's concern
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	e.PID = cmd.Process.Pid
	return nil
}

// ready waits until the engine lists containers.
func (e *Engine) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := e.docker.ContainerList(ctx, container.ListOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-e.exited:
			return errors.New("dockerd exited")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s: %w", startTime, err)
		case <-tick.C:
		}
	}
}

// log returns the end of dockerd's log.
func (e *Engine) log() string {
	text, _ := os.ReadFile(filepath.Join(e.dir, "dockerd.log"))
	return string(text[max(0, len(text)-4096):])
}

// Pause stops dockerd with a signal, as a wedged one stands still, until the
// test ends or resume is called.
func (e *Engine) Pause(tb testing.TB) (resume func()) {
	tb.Helper()
	if err := syscall.Kill(e.PID, syscall.SIGSTOP); err != nil {
		tb.Fatalf("stop dockerd: %v", err)
	}
	// It stands still when its last thread does, which is what a parent is told.
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, e.PID, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}
	if err != nil {
		tb.Fatalf("wait for dockerd to stop: %v", err)
	}
	resume = func() { _ = syscall.Kill(e.PID, syscall.SIGCONT) }
	tb.Cleanup(resume)
	return resume
}
