package scoreboard

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Board is a scoreboard mapped into this process. It may be used by any
// number of goroutines.
type Board struct {
	plan   plan
	memory []byte
	master *Master
	pools  map[string]*Pool
	order  []*Pool
}

// Create makes an empty scoreboard and the file that other processes [Open].
// The file has no name and goes with its last descriptor. What is never
// touched takes no memory, so room costs nothing.
func Create(l Layout) (*Board, *os.File, error) {
	p, err := l.plan()
	if err != nil {
		return nil, nil, err
	}
	f, err := createFile(int64(p.size))
	if err != nil {
		return nil, nil, fmt.Errorf("create scoreboard: %w", err)
	}
	if _, err := f.WriteAt(p.header(), 0); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("write scoreboard: %w", err), f.Close())
	}
	b, err := Open(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return b, f, nil
}

// Open maps the scoreboard in f, which may be closed afterwards. A file that
// is cut short, of another version or damaged is refused.
func Open(f *os.File) (*Board, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open scoreboard: %w", err)
	}
	p, err := readPlan(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("open scoreboard: %w", err)
	}
	b := &Board{plan: p, pools: make(map[string]*Pool, len(p.pools))}
	if err := b.mapFile(f); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Board) mapFile(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return fmt.Errorf("map scoreboard: %w", err)
	}
	var mapped error
	if err := raw.Control(func(fd uintptr) {
		b.memory, mapped = unix.Mmap(int(fd), 0, b.plan.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}); err != nil {
		return fmt.Errorf("map scoreboard: %w", err)
	}
	if mapped != nil {
		return fmt.Errorf("map scoreboard: %w", mapped)
	}
	b.master = &Master{words: b.words(b.plan.master, masterWords)}
	for _, planned := range b.plan.pools {
		p := newPool(b, planned)
		b.pools[p.name] = p
		b.order = append(b.order, p)
	}
	return nil
}

// words returns n words of the mapping from byte at on. A mapping is
// page-aligned, so that its words are aligned for atomics.
func (b *Board) words(at, n int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(&b.memory[at])), n)
}

// Layout returns what the board was made for.
func (b *Board) Layout() Layout { return b.plan.layout }

// Master returns the master's own page.
func (b *Board) Master() *Master { return b.master }

// Pool returns the part of one pool.
func (b *Board) Pool(name string) (*Pool, error) {
	p, ok := b.pools[name]
	if !ok {
		return nil, fmt.Errorf("scoreboard has no pool %q", name)
	}
	return p, nil
}

// Pools returns all pools in the order in which they were laid out.
func (b *Board) Pools() []*Pool { return b.order }

// Close unmaps the board. Nothing of it may be used any more, not even by
// another goroutine; a process that cannot promise that leaves it open.
func (b *Board) Close() error {
	b.pools, b.order = nil, nil
	if err := unix.Munmap(b.memory); err != nil {
		return fmt.Errorf("unmap scoreboard: %w", err)
	}
	return nil
}
