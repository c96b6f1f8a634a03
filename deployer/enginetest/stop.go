package enginetest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/sys/unix"
)

// stop ends containers, dockerd, what dockerd started, and what it mounted, in this order.
func (e *Engine) stop() error {
	_ = syscall.Kill(e.PID, syscall.SIGCONT)
	killErr := e.killContainers()
	_ = e.docker.Close()
	_ = syscall.Kill(e.PID, syscall.SIGTERM)
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-e.exited:
	case <-timer.C:
		killErr = errors.Join(killErr, errors.New("dockerd ignored TERM"))
		_ = syscall.Kill(e.PID, syscall.SIGKILL)
		<-e.exited
	}
	e.killLeftovers()
	return errors.Join(killErr, e.unmount(), e.bridge.remove(), os.RemoveAll(e.dir))
}

// killContainers ends every container at once, so that none is asked and waited for.
func (e *Engine) killContainers() error {
	select {
	case <-e.exited:
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	list, err := e.docker.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	for _, c := range list {
		err = errors.Join(err, e.docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}))
	}
	return err
}

// killLeftovers ends the processes that name this engine's directory in their
// arguments (containerd and its shims, when dockerd died too early to end them) and their children.
func (e *Engine) killLeftovers() {
	mine := map[int]bool{}
	parents := map[int]int{}
	pids, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range pids {
		pid, _ := strconv.Atoi(filepath.Base(path))
		args, _ := os.ReadFile(filepath.Join(path, "cmdline"))
		if bytes.Contains(args, []byte(e.dir+"/")) && pid != os.Getpid() {
			mine[pid] = true
		}
		parents[pid] = parentOf(path)
	}
	for pid, parent := range parents {
		if mine[pid] || mine[parent] {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func parentOf(path string) int {
	stat, _ := os.ReadFile(filepath.Join(path, "stat"))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// unmount detaches everything that is mounted below the engine's directory.
func (e *Engine) unmount() error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer f.Close()
	var points []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], e.dir+"/") {
			points = append(points, fields[4])
		}
	}
	for _, point := range slices.Backward(points) {
		if uerr := unix.Unmount(point, unix.MNT_DETACH); uerr != nil {
			err = errors.Join(err, fmt.Errorf("unmount %s: %w", point, uerr))
		}
	}
	return err
}
