package scoreboard

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Layout is what a scoreboard has room for. The board itself carries it.
type Layout struct {
	Pools []PoolLayout `json:"pools"`
	// Counters names the counters that every region has, in order.
	Counters []string `json:"counters"`
	// Routes names what latencies are recorded for, in order.
	Routes []string `json:"routes"`
}

// PoolLayout is the room of one pool.
type PoolLayout struct {
	Name string `json:"name"`
	// Regions is how many processes of the pool can exist at once: workers,
	// their replacements, and predecessors that still finish. At most 64.
	Regions int `json:"regions"`
	// Slots is how many requests one of them can have under way, each on a
	// connection of its own.
	Slots int `json:"slots"`
}

// The file is a header with the layout, one page for the master, one for each
// pool, then the regions, each of whole pages. All fields are native 64-bit words: only processes of one
// machine share it.
const (
	magic   = 0x5345_4144_4f47_5342 // "SEADOGSB"
	version = 3

	pageSize = 4096
	poolSize = pageSize
	wordSize = 8

	maxPools   = 64
	maxRegions = 64 // of one pool: a bit each in one word
	maxSlots   = 1 << 16
	maxNames   = 1 << 16
	maxName    = 32 // bytes of a pool's name
)

// Words of the header.
const (
	wordMagic = iota
	wordVersion
	wordFileSize   // bytes of the file
	wordLayoutSize // bytes of the layout, which follows as JSON
	headerWords
)

const maxLayout = 4 << 20 // bytes of JSON

// plan is where everything lies, derived from a [Layout].
type plan struct {
	layout  Layout
	encoded []byte
	master  int // byte offset of the master's page
	pools   []poolPlan
	size    int // bytes of the file
}

type poolPlan struct {
	PoolLayout
	at     int // byte offset of its page
	first  int // byte offset of its first region
	region int // bytes of one region
}

func (l Layout) plan() (plan, error) {
	if len(l.Pools) == 0 || len(l.Pools) > maxPools || len(l.Counters) > maxNames || len(l.Routes) > maxNames {
		return plan{}, fmt.Errorf("scoreboard for %d pools with %d counters and %d routes", len(l.Pools), len(l.Counters), len(l.Routes))
	}
	encoded, err := json.Marshal(l)
	if err != nil {
		return plan{}, fmt.Errorf("encode layout of scoreboard: %w", err)
	}
	header := roundUp(headerWords*wordSize+len(encoded), pageSize)
	first := header + pageSize // of the pools' pages
	p := plan{layout: l, encoded: encoded, master: header, size: first + len(l.Pools)*poolSize}
	seen := map[string]bool{}
	for i, pool := range l.Pools {
		if pool.Name == "" || len(pool.Name) > maxName || seen[pool.Name] {
			return plan{}, fmt.Errorf("scoreboard cannot name pool %q", pool.Name)
		}
		seen[pool.Name] = true
		if pool.Regions < 1 || pool.Regions > maxRegions || pool.Slots < 0 || pool.Slots > maxSlots {
			return plan{}, fmt.Errorf("scoreboard for %d processes of pool %s with %d slots", pool.Regions, pool.Name, pool.Slots)
		}
		planned := poolPlan{PoolLayout: pool, at: first + i*poolSize, first: p.size, region: l.regionSize(pool.Slots)}
		p.size += pool.Regions * planned.region
		p.pools = append(p.pools, planned)
	}
	return p, nil
}

// regionSize is the head of a region, its counters, its histograms and its slots.
func (l Layout) regionSize(slots int) int {
	n := slotsOffset(len(l.Counters), len(l.Routes)) + slots*slotSize
	return roundUp(n, pageSize)
}

// slotsOffset is where slots begin in a region: on a cache line of their own.
func slotsOffset(counters, routes int) int {
	return roundUp((regionWords+counters+routes*histogramWords)*wordSize, slotSize)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func (p plan) header() []byte {
	b := make([]byte, 0, headerWords*wordSize+len(p.encoded))
	for _, w := range [headerWords]uint64{magic, version, uint64(p.size), uint64(len(p.encoded))} {
		b = binary.NativeEndian.AppendUint64(b, w)
	}
	return append(b, p.encoded...)
}

// readPlan reads the header of a file of that size. It trusts nothing that it reads.
func readPlan(r io.ReaderAt, fileSize int64) (plan, error) {
	head := make([]byte, headerWords*wordSize)
	if _, err := r.ReadAt(head, 0); errors.Is(err, io.EOF) {
		return plan{}, errors.New("scoreboard is cut short")
	} else if err != nil {
		return plan{}, err
	}
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(head[i*wordSize:]) }
	switch {
	case word(wordMagic) != magic:
		return plan{}, errors.New("not a scoreboard")
	case word(wordVersion) != version:
		return plan{}, fmt.Errorf("scoreboard has version %d, this binary knows %d: restart the service", word(wordVersion), version)
	case word(wordLayoutSize) > maxLayout:
		return plan{}, fmt.Errorf("scoreboard claims a layout of %d bytes", word(wordLayoutSize))
	}
	encoded := make([]byte, word(wordLayoutSize))
	if _, err := r.ReadAt(encoded, headerWords*wordSize); err != nil {
		return plan{}, errors.New("scoreboard is cut short")
	}
	var l Layout
	if err := json.Unmarshal(encoded, &l); err != nil {
		return plan{}, fmt.Errorf("read layout of scoreboard: %w", err)
	}
	p, err := l.plan()
	if err == nil && (word(wordFileSize) != uint64(p.size) || fileSize != int64(p.size)) {
		err = fmt.Errorf("scoreboard has %d bytes, its layout promises %d", fileSize, p.size)
	}
	return p, err
}
