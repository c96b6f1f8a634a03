package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bench is what all cells share.
type bench struct {
	binary string
	dir    string // temporary; a directory per cell below it
	nice   bool   // this process has a better priority than what it starts

	harakiri, mercy time.Duration
	quick           bool
	clock           bool
}

// lasting returns how long something takes: full, or short in a quick run.
func (b *bench) lasting(full, short time.Duration) time.Duration {
	if b.quick {
		return short
	}
	return full
}

func (b *bench) cellDir(cell string) string {
	return filepath.Join(b.dir, filepath.FromSlash(cell))
}

// binary returns the executable to measure, built into dir if path is empty.
func binary(ctx context.Context, path, dir string) (string, error) {
	if path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		_, err = os.Stat(abs)
		return abs, err
	}
	path = filepath.Join(dir, "seadog")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/seadog")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ./cmd/seadog: %w\n%s", err, out)
	}
	return path, nil
}

// pause waits for d, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// poll asks ok every few milliseconds until it holds, and tells after which
// time it did. It gives up after limit.
func poll(ctx context.Context, limit time.Duration, ok func() bool) (time.Duration, bool) {
	const every = 5 * time.Millisecond
	begin := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok() {
			return time.Since(begin), true
		}
		if time.Since(begin) > limit {
			return limit, false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(begin), false
		}
	}
}
