package scoreboard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// Board is a scoreboard mapped into this process. It may be used by any
// number of goroutines.
type Board struct {
	header  header
	memory  []byte
	words   []uint64 // the same memory
	regions map[watchdog.ID]*Region
	order   []*Region
}

// Create makes an empty scoreboard and the file that other processes [Open].
// The file has no name and goes with its last descriptor.
func Create(l Layout) (*Board, *os.File, error) {
	h, err := newHeader(l)
	if err != nil {
		return nil, nil, err
	}
	f, err := createFile(int64(h.fileSize()))
	if err != nil {
		return nil, nil, fmt.Errorf("create scoreboard: %w", err)
	}
	b, err := fill(f, h, l)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return b, f, nil
}

// fill writes header and names, then opens the file as every other process will.
func fill(f *os.File, h header, l Layout) (*Board, error) {
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		return nil, fmt.Errorf("write scoreboard: %w", err)
	}
	for i, id := range l.Workers {
		if _, err := f.WriteAt(encodeID(id), int64(headerSize+i*h.regionSize)); err != nil {
			return nil, fmt.Errorf("write scoreboard: %w", err)
		}
	}
	return Open(f, l.Counters)
}

// Open maps the scoreboard in f, which may be closed afterwards. A file that
// is cut short, of another version, or made for other counters is refused.
func Open(f *os.File, counters []string) (*Board, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open scoreboard: %w", err)
	}
	head := make([]byte, headerWords*8)
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read scoreboard: %w", err)
	}
	h, err := decodeHeader(head, info.Size())
	if err != nil {
		return nil, err
	}
	if h.counters != len(counters) || h.schema != schemaOf(counters) {
		return nil, errors.New("scoreboard was made for other counters: restart the service")
	}
	b := &Board{header: h}
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
		b.memory, mapped = unix.Mmap(int(fd), 0, b.header.fileSize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}); err != nil {
		return fmt.Errorf("map scoreboard: %w", err)
	}
	if mapped != nil {
		return fmt.Errorf("map scoreboard: %w", mapped)
	}
	// A mapping is page-aligned, so that its words are aligned for atomics.
	b.words = unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b.memory))), len(b.memory)/8)
	b.regions = make(map[watchdog.ID]*Region, b.header.regions)
	for i := range b.header.regions {
		from := (headerSize + i*b.header.regionSize) / 8
		r := newRegion(b.words[from:from+b.header.regionSize/8], b.header.counters)
		b.regions[r.id] = r
		b.order = append(b.order, r)
	}
	if len(b.regions) != b.header.regions {
		return errors.Join(errors.New("scoreboard names a worker twice"), b.Close())
	}
	return nil
}

// Region returns the region of one worker.
func (b *Board) Region(id watchdog.ID) (*Region, error) {
	r, ok := b.regions[id]
	if !ok {
		return nil, fmt.Errorf("scoreboard has no region for %s", id)
	}
	return r, nil
}

// Close unmaps the board. Nothing of it may be used any more, not even by
// another goroutine; a process that cannot promise that leaves it open.
func (b *Board) Close() error {
	b.words, b.regions, b.order = nil, nil, nil
	if err := unix.Munmap(b.memory); err != nil {
		return fmt.Errorf("unmap scoreboard: %w", err)
	}
	return nil
}
