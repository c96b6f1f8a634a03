package ledger

import (
	"errors"
	"hash/maphash"
	"math/bits"
)

// errTooMany: the positions of an index are 32 bits.
var errTooMany = errors.New("more than four thousand million ids were sent")

// index finds the request behind an id: a hash table of positions, which keeps
// no id but computes it again to compare.
type index struct {
	ledger *Ledger
	bases  []uint64 // position of the first id of each traffic
	total  uint64   // positions
	slots  []uint32 // position + 1; 0 is free
	seed   maphash.Seed
}

func (l *Ledger) newIndex() (*index, error) {
	x := &index{ledger: l, bases: make([]uint64, len(l.books)), seed: maphash.MakeSeed()}
	var sent uint64
	for i, b := range l.books {
		x.bases[i] = x.total
		if b == nil {
			continue
		}
		x.total += b.size
		for seq := range b.size {
			if b.get(seq) != unsent {
				sent++
			}
		}
	}
	if x.total >= 1<<32-1 {
		return nil, errTooMany
	}
	x.slots = make([]uint32, uint64(1)<<bits.Len64(sent*3/2)) // at most two thirds are taken
	for i, b := range l.books {
		if b == nil {
			continue
		}
		for seq := range b.size {
			if b.get(seq) != unsent {
				x.add(x.bases[i] + seq)
			}
		}
	}
	return x, nil
}

func (x *index) add(position uint64) {
	at := x.first(x.id(position))
	for x.slots[at] != 0 {
		at = (at + 1) & uint64(len(x.slots)-1)
	}
	x.slots[at] = uint32(position + 1)
}

// find returns the position of an id that was sent.
func (x *index) find(id string) (position uint64, ok bool) {
	for at := x.first(id); x.slots[at] != 0; at = (at + 1) & uint64(len(x.slots)-1) {
		if position = uint64(x.slots[at] - 1); x.id(position) == id {
			return position, true
		}
	}
	return 0, false
}

func (x *index) first(id string) uint64 {
	return maphash.String(x.seed, id) & uint64(len(x.slots)-1)
}

// request returns which request is at a position.
func (x *index) request(position uint64) (traffic int, seq uint64) {
	for i := len(x.bases) - 1; i > 0; i-- {
		if position >= x.bases[i] && x.ledger.books[i] != nil {
			return i, position - x.bases[i]
		}
	}
	return 0, position
}

func (x *index) id(position uint64) string {
	traffic, seq := x.request(position)
	c := &x.ledger.config
	return c.ID(c.Run, c.Scenario.Traffic[traffic].Name, seq)
}

func (x *index) state(position uint64) state {
	traffic, seq := x.request(position)
	return x.ledger.books[traffic].get(seq)
}
