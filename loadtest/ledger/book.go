package ledger

// state is what is known of one id. If it was sent more than once the highest
// counts: work that was taken once is to be found, whatever else was answered,
// and what may have been taken is no proof of a hole.
type state uint8

const (
	unsent   state = iota
	rejected       // refused, or spoiled: must not be found
	unknown        // no answer, or one that says nothing about the work: may be found
	accepted       // must be found
)

const (
	perPage = 1 << 16
	mostIDs = 1 << 32 // of a traffic; beyond it something is wrong
)

// book holds the states of the ids of one traffic, four in a byte. Pages are
// made when they are needed.
type book struct {
	pages []*[perPage / 4]byte
	size  uint64 // one more than the highest that was raised
}

func (b *book) get(seq uint64) state {
	p := seq / perPage
	if p >= uint64(len(b.pages)) || b.pages[p] == nil {
		return unsent
	}
	return state(b.pages[p][seq%perPage/4]>>(seq%4*2)) & 3
}

// raise makes the state of seq at least s.
func (b *book) raise(seq uint64, s state) {
	p := seq / perPage
	for uint64(len(b.pages)) <= p {
		b.pages = append(b.pages, nil)
	}
	if b.pages[p] == nil {
		b.pages[p] = new([perPage / 4]byte)
	}
	b.size = max(b.size, seq+1)
	cell, shift := &b.pages[p][seq%perPage/4], seq%4*2
	if s > state(*cell>>shift)&3 {
		*cell = *cell&^(3<<shift) | byte(s)<<shift
	}
}

// set is a set of small numbers.
type set []uint64

func newSet(size uint64) set { return make(set, (size+63)/64) }

func (s set) has(i uint64) bool { return i/64 < uint64(len(s)) && s[i/64]>>(i%64)&1 == 1 }
func (s set) add(i uint64)      { s[i/64] |= 1 << (i % 64) }
