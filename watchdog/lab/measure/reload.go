package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// goodReload replaces all workers on SIGHUP, and nobody notices.
func goodReload(ctx context.Context, b *bench, r *report) (err error) {
	l, err := b.underLoad(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	old, at := l.workers(), l.fresh.elapsed()
	if err := l.signal(l.pid, syscall.SIGHUP); err != nil {
		return err
	}
	took, all := poll(ctx, 30*time.Second, func() bool { return survivors(old) == 0 })
	pause(ctx, calm)
	r.figure("replaced after", seconds(took))
	l.judge(r, at, 0)
	r.bar("all workers are replaced", all, "%d of %d are left", survivors(old), len(old))
	return nil
}

// brokenReload puts a binary in place that cannot boot: the old workers serve on.
func brokenReload(ctx context.Context, b *bench, r *report) (err error) {
	dir := b.cellDir(r.Cell)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, "seadog")
	if err := copyExecutable(b.binary, path); err != nil {
		return err
	}
	l, err := b.underLoad(ctx, r.Cell, options{binary: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	old, at := l.serving(ctx), l.fresh.elapsed()
	broken := path + ".broken"
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		return err
	}
	if err := os.Rename(broken, path); err != nil {
		return err
	}
	if err := l.signal(l.pid, syscall.SIGHUP); err != nil {
		return err
	}
	pause(ctx, 2*calm)
	r.figure("old workers", len(old))
	l.judge(r, at, 0)
	r.bar("the old workers serve on", survivors(old) == len(old) && l.alive(), "%d of %d are left", survivors(old), len(old))
	return nil
}

func copyExecutable(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
