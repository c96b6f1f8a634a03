package scoreboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/seadog/seadog/watchdog"
)

// Layout is what a scoreboard has room for.
type Layout struct {
	Workers []watchdog.ID
	// Counters names the counters that every region has, in order. Processes
	// that disagree about the names cannot share a board.
	Counters []string
}

// The file is one header page, then one region of whole pages per worker. All
// fields are native 64-bit words: only processes of one machine share it.
const (
	magic   = 0x5345_4144_4f47_5342 // "SEADOGSB"
	version = 1

	pageSize   = 4096
	headerSize = pageSize
	maxRegions = 4096
	maxNames   = 1 << 16
	maxName    = 32 // bytes of a pool's name
)

// Words of the header.
const (
	wordMagic = iota
	wordVersion
	wordSchema
	wordRegions
	wordRegionSize
	wordCounters
	headerWords
)

// Words of a region.
const (
	wordPool         = 0 // four words, padded with zero bytes
	wordIndex        = 4
	wordIncarnation  = 5
	wordPID          = 6
	wordState        = 7
	wordStarted      = 8
	wordHeartbeat    = 9
	wordDeaths       = 10
	wordFirstCounter = 16
)

// header is the decoded first page.
type header struct {
	schema              uint64
	regions, regionSize int
	counters            int
}

func newHeader(l Layout) (header, error) {
	h := header{schema: schemaOf(l.Counters), regions: len(l.Workers), counters: len(l.Counters)}
	if h.regions == 0 || h.regions > maxRegions || h.counters > maxNames {
		return header{}, fmt.Errorf("scoreboard for %d workers with %d counters", h.regions, h.counters)
	}
	h.regionSize = regionSize(h.counters)
	seen := make(map[watchdog.ID]bool, len(l.Workers))
	for _, id := range l.Workers {
		if id.Pool == "" || len(id.Pool) > maxName || id.Index < 0 || seen[id] {
			return header{}, fmt.Errorf("scoreboard cannot name worker %s", id)
		}
		seen[id] = true
	}
	return h, nil
}

func (h header) fileSize() int { return headerSize + h.regions*h.regionSize }

func (h header) encode() []byte {
	b := make([]byte, headerWords*8)
	for i, w := range [headerWords]uint64{magic, version, h.schema, uint64(h.regions), uint64(h.regionSize), uint64(h.counters)} {
		binary.NativeEndian.PutUint64(b[i*8:], w)
	}
	return b
}

// decodeHeader trusts nothing that it reads.
func decodeHeader(b []byte, fileSize int64) (header, error) {
	if len(b) < headerWords*8 {
		return header{}, errors.New("scoreboard is cut short")
	}
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(b[i*8:]) }
	if word(wordMagic) != magic {
		return header{}, errors.New("not a scoreboard")
	}
	if v := word(wordVersion); v != version {
		return header{}, fmt.Errorf("scoreboard has version %d, this binary knows %d: restart the service", v, version)
	}
	regions, counters := word(wordRegions), word(wordCounters)
	if regions == 0 || regions > maxRegions || counters > maxNames {
		return header{}, fmt.Errorf("scoreboard claims %d regions with %d counters", regions, counters)
	}
	h := header{schema: word(wordSchema), regions: int(regions), counters: int(counters), regionSize: regionSize(int(counters))}
	if word(wordRegionSize) != uint64(h.regionSize) || fileSize != int64(h.fileSize()) {
		return header{}, fmt.Errorf("scoreboard has %d bytes with regions of %d, its header promises %d with regions of %d",
			fileSize, word(wordRegionSize), h.fileSize(), h.regionSize)
	}
	return h, nil
}

func regionSize(counters int) int {
	n := (wordFirstCounter + counters) * 8
	return (n + pageSize - 1) / pageSize * pageSize
}

func schemaOf(names []string) uint64 {
	h := fnv.New64a()
	for _, n := range names {
		_, _ = h.Write([]byte(n)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
