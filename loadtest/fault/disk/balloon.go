package disk

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// mostBytes is how much a balloon takes at most: on a tmpfs it is memory.
	mostBytes = 4 << 30
	// again is how often the room is taken that others have freed.
	again = 100 * time.Millisecond
	// step is what is taken at once, grain what is left to nobody.
	step  = 64 << 20
	grain = 4096
)

// Guard tells whoever would clean up if we were killed what to do, and returns
// what takes it back. See the guardian of package process.
type Guard func(what string) (release func(), err error)

// Balloon is a file that fills a disk.
type Balloon struct {
	dir     string
	leave   int64
	file    *os.File
	release func()
	stop    chan struct{}
	stopped chan struct{}

	broken error // it could not be kept; known once stopped
	undo   sync.Once
	err    error

	mu   sync.Mutex
	size int64
}

// Fill fills the filesystem that is mounted on dir, but for leave bytes, and
// keeps it so. The error says why it is none that may be filled, or what went
// wrong; the disk is then as it was.
func Fill(dir string, leave int64, guard Guard) (*Balloon, error) {
	b, err := create(dir, leave, guard)
	if err != nil {
		return nil, fmt.Errorf("fill disk of %s: %w", dir, err)
	}
	if err := b.grow(); err != nil {
		close(b.stopped)
		return nil, errors.Join(fmt.Errorf("fill disk of %s: %w", dir, err), b.Undo())
	}
	go b.keep()
	return b, nil
}

// create makes the file, empty.
func create(dir string, leave int64, guard Guard) (*Balloon, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may: the room that is reserved for root would stay free")
	}
	path, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	if err := separate(path); err != nil {
		return nil, err
	}
	free, err := room(path)
	if err != nil {
		return nil, err
	}
	if free > mostBytes {
		return nil, fmt.Errorf("%d MiB are free there, and more than %d are not taken: mount a smaller filesystem", free>>20, mostBytes>>20)
	}
	f, err := os.CreateTemp(path, ".balloon-*")
	if err != nil {
		return nil, err
	}
	b := &Balloon{dir: path, leave: leave, file: f, stop: make(chan struct{}), stopped: make(chan struct{})}
	if b.release, err = b.guarded(guard); err != nil {
		_ = f.Close()
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return b, nil
}

func (b *Balloon) guarded(guard Guard) (func(), error) {
	var s unix.Stat_t
	if err := unix.Fstat(int(b.file.Fd()), &s); err != nil {
		return nil, err
	}
	return guard(fmt.Sprintf("remove %d %d %s", s.Dev, s.Ino, b.file.Name()))
}

// room returns how many bytes root may still write to the filesystem of dir.
func room(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bfree) * s.Bsize, nil
}

// grow takes all the room there is. What is refused as too much is tried again
// in smaller pieces, until there is no piece left.
func (b *Balloon) grow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	piece := int64(step)
	for piece >= grain {
		free, err := room(b.dir)
		if err != nil {
			return err
		}
		free = min(free-b.leave, mostBytes-b.size)
		if free < grain {
			return nil
		}
		piece = min(piece, free/grain*grain)
		switch err := b.take(piece); {
		case errors.Is(err, unix.ENOSPC):
			piece /= 2
		case err != nil:
			return err
		default:
			b.size += piece
		}
	}
	return nil
}

// take makes the file longer by that many bytes that are really there.
func (b *Balloon) take(bytes int64) error {
	err := unix.Fallocate(int(b.file.Fd()), 0, b.size, bytes)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	zeros := make([]byte, min(bytes, 1<<20))
	for at := int64(0); at < bytes; at += int64(len(zeros)) {
		if _, err := b.file.WriteAt(zeros[:min(int64(len(zeros)), bytes-at)], b.size+at); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps the disk full until it is told to stop.
func (b *Balloon) keep() {
	defer close(b.stopped)
	look := time.NewTicker(again)
	defer look.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-look.C:
		}
		if err := b.grow(); err != nil {
			b.broken = fmt.Errorf("keep disk of %s full: %w", b.dir, err)
			return
		}
	}
}

// Undo deletes the file. The error also tells that the disk could not be kept
// full in the meantime.
func (b *Balloon) Undo() error {
	b.undo.Do(func() {
		close(b.stop)
		<-b.stopped
		b.err = errors.Join(b.broken, b.delete())
		b.release()
	})
	return b.err
}

func (b *Balloon) delete() error {
	removed := os.Remove(b.file.Name())
	if err := errors.Join(removed, b.file.Close()); err != nil {
		return fmt.Errorf("empty disk of %s: %w", b.dir, err)
	}
	return nil
}

// Effects tells how many bytes were taken.
func (b *Balloon) Effects() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return map[string]uint64{"bytes": uint64(b.size)}
}
