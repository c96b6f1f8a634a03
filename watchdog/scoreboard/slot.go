package scoreboard

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"
)

// slotSize is the size of a [Slot] in bytes: four cache lines.
const slotSize = 256

// Longest texts that a slot holds, in bytes. Longer ones are cut.
const (
	maxID     = 64
	maxClient = 48
)

// Slot is one connection and the request on it, or one deployment. It has one
// writer at a time, the goroutine that serves it, with two exceptions: the
// token belongs to whoever wins it, and Touch and SetGroup may be called by
// whatever the request runs.
//
// What a request is — [Slot.Describe] — is written while the token says that
// nobody may judge it yet ([Reading]), and read before and after a look at the
// token: whoever saw the same token twice saw one request.
//
//	  ┌────────────────────────────────────────────┐
//	  ▼                                            │
//	Idle ─▶ Reading ─▶ Running ◀─▶ Interim         │
//	                      │                        │
//	                      ├─▶ Answering ───────────┘  the handler won
//	                      ├─▶ Killed                  the worker's watchdog won
//	                      └─▶ Seized                  the master won
type Slot struct {
	// First line: all that a scan reads.
	token   atomic.Uint64
	served  atomic.Uint64
	begun   atomic.Int64
	soft    atomic.Uint64 // from begun on: the same for most requests, and so rarely written
	hard    atomic.Uint64
	touched atomic.Int64
	killed  atomic.Int64
	route   atomic.Uint64 // its number + 1 in the low half, flags in the high half

	// Second line.
	socket atomic.Uint64 // descriptor + 1 in the low half, flags in the high half
	cookie atomic.Uint64
	group  atomic.Int64  // process group of a child
	length atomic.Uint64 // of id in the low half, of client in the high half
	place  atomic.Uint64
	seed   atomic.Uint64 // of derived ids; 0 if there are none
	_      [2]uint64

	// Third and fourth.
	id     [maxID / wordSize]atomic.Uint64
	client [maxClient / wordSize]atomic.Uint64
	_      [2]uint64
}

var _ [slotSize]byte = [unsafe.Sizeof(Slot{})]byte{}

const (
	flagStream = 1 << 32
	flagTLS    = 1 << 32
	low        = 1<<32 - 1
)

// Request describes what runs in a slot. Times are those of [Now], in ns; 0 is none.
type Request struct {
	ID     string // cut after 64 bytes; see [Slot.SetSeed] for those without one
	Client string // address, cut after 48 bytes
	Route  int    // its number in the layout
	Stream bool   // judged by its silence, not by its age
	Begun  int64
	Soft   int64 // when its client gets 504
	Hard   int64 // when the worker is thought to be stuck
}

// Token returns the slot's token.
func (s *Slot) Token() Token { return Token(s.token.Load()) }

// Swap takes the token from one state to another, and returns false if
// somebody else took it.
func (s *Slot) Swap(from, to Token) bool { return s.token.CompareAndSwap(uint64(from), uint64(to)) }

// Set puts the token where only its owner can be: [Empty] to [Idle] and back.
func (s *Slot) Set(t Token) { s.token.Store(uint64(t)) }

// Describe writes what the request is. The token must be [Reading].
func (s *Slot) Describe(r Request) {
	s.begun.Store(r.Begun)
	s.SetDeadlines(r.Soft, r.Hard)
	if s.killed.Load() != 0 {
		s.killed.Store(0)
	}
	s.Reroute(r.Route, r.Stream)
	id, client := r.ID[:min(len(r.ID), maxID)], r.Client[:min(len(r.Client), maxClient)]
	change(&s.place, 0)
	change(&s.length, uint64(len(id))|uint64(len(client))<<32)
	write(s.id[:], id)
	write(s.client[:], client)
}

// Renew is [Slot.Describe] of a request that differs from the one before only in
// its times: neither had an id, both have the client of the connection, and which
// route this one takes is not known yet.
func (s *Slot) Renew(begun, soft, hard int64) {
	s.begun.Store(begun)
	s.SetDeadlines(soft, hard)
	if s.killed.Load() != 0 {
		s.killed.Store(0)
	}
	s.Reroute(-1, false)
	change(&s.place, 0)
}

// Reroute says what the router found.
func (s *Slot) Reroute(route int, stream bool) {
	v := uint64(uint32(route + 1))
	if stream {
		v |= flagStream
	}
	change(&s.route, v)
}

// SetDeadlines moves both deadlines, in the time of [Now]; 0 is none.
func (s *Slot) SetDeadlines(soft, hard int64) {
	begun := s.begun.Load()
	change(&s.soft, after(begun, soft))
	change(&s.hard, after(begun, hard))
}

// after is how long a deadline comes after the beginning; 0 if there is none.
func after(begun, deadline int64) uint64 {
	if deadline == 0 {
		return 0
	}
	return uint64(max(1, deadline-begun))
}

// due is when such a deadline is; 0 if there is none.
func due(begun int64, after uint64) int64 {
	if after == 0 {
		return 0
	}
	return begun + int64(after)
}

// Touch says that a stream is alive. Any goroutine may.
func (s *Slot) Touch(now int64) { s.touched.Store(now) }

// SetGroup names the process group of the request's child; 0 when it is gone.
func (s *Slot) SetGroup(pgid int) { s.group.Store(int64(pgid)) }

// SetSocket says which descriptor of the process the client is on. Its cookie
// (SO_COOKIE) tells whether the number still means the same socket.
func (s *Slot) SetSocket(fd int, cookie uint64, tls bool) {
	v := uint64(uint32(fd + 1))
	if tls {
		v |= flagTLS
	}
	s.socket.Store(v)
	s.cookie.Store(cookie)
}

// SetSeed gives ids to requests that are described without one: each follows
// from the seed and its generation, so that most requests, of which nobody ever
// asks the id, need none to be made and written down.
func (s *Slot) SetSeed(seed uint64) { s.seed.Store(seed) }

// DerivedID is the id of a request that was described without one.
func DerivedID(seed, generation uint64) string {
	z := seed + generation*0x9e3779b97f4a7c15 // the steps of splitmix64
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return fmt.Sprintf("%016x", z^z>>31)
}

// SetKilled says when the request was given up, in the time of [Now].
func (s *Slot) SetKilled(now int64) { s.killed.Store(now) }

// SetWaiting says at which place in the program the request waits for I/O, by a
// hash that is the same in all workers; 0 if it does not, or nobody knows.
func (s *Slot) SetWaiting(place uint64) { s.place.Store(place) }

// Complete counts one answered request.
func (s *Slot) Complete() { s.served.Store(s.served.Load() + 1) }

// Served returns how many requests were answered in this slot.
func (s *Slot) Served() uint64 { return s.served.Load() }

// Begun, Soft, Hard, Touched and Killed return times of [Now]; 0 is none.
func (s *Slot) Begun() int64   { return s.begun.Load() }
func (s *Slot) Soft() int64    { return due(s.begun.Load(), s.soft.Load()) }
func (s *Slot) Hard() int64    { return due(s.begun.Load(), s.hard.Load()) }
func (s *Slot) Touched() int64 { return max(s.begun.Load(), s.touched.Load()) }
func (s *Slot) Killed() int64  { return s.killed.Load() }

// Stream reports whether the request is judged by its silence.
func (s *Slot) Stream() bool { return s.route.Load()&flagStream != 0 }

// Group returns the process group of the request's child; 0 if it has none.
func (s *Slot) Group() int { return int(s.group.Load()) }

// reset forgets everything. No process may have the slot.
func (s *Slot) reset() {
	*s = Slot{} //nolint:govet // shared with nobody now
}

// View is one slot as it was at one moment.
type View struct {
	Index   int
	Token   Token
	Torn    bool // it changed while it was read: only Token can be trusted
	Request Request
	Touched int64
	Killed  int64
	FD      int // -1 if it has no socket
	TLS     bool
	Cookie  uint64
	Group   int
	Waiting uint64 // see [Slot.SetWaiting]
}

// Age returns how long the request has been running at now.
func (v View) Age(now int64) time.Duration { return time.Duration(max(0, now-v.Request.Begun)) }

// attempts bounds how often a slot is read that changes all the time. A writer
// that was killed in the middle leaves a slot that does not change.
const attempts = 100

// View reads the slot; index is its number.
func (s *Slot) View(index int) View {
	var v View
	for range attempts {
		before := s.Token()
		v = s.read(index, before)
		if s.Token() == before {
			return v
		}
	}
	v.Torn, v.Token = true, s.Token()
	return v
}

func (s *Slot) read(index int, t Token) View {
	route, socket, length := s.route.Load(), s.socket.Load(), s.length.Load()
	id := read(s.id[:], int(length&low))
	if seed := s.seed.Load(); id == "" && seed != 0 {
		id = DerivedID(seed, t.Generation())
	}
	return View{
		Index: index, Token: t,
		Request: Request{
			ID:     id,
			Client: read(s.client[:], int(length>>32)),
			Route:  int(route&low) - 1, Stream: route&flagStream != 0,
			Begun: s.begun.Load(), Soft: s.Soft(), Hard: s.Hard(),
		},
		Touched: s.Touched(), Killed: s.killed.Load(),
		FD: int(socket&low) - 1, TLS: socket&flagTLS != 0, Cookie: s.cookie.Load(),
		Group: s.Group(), Waiting: s.place.Load(),
	}
}

// change stores v if it is news: most of what describes a request is the same
// as for the one before, and a load costs a fraction of a store.
func change(word *atomic.Uint64, v uint64) {
	if word.Load() != v {
		word.Store(v)
	}
}

// write stores text in words; what is behind it stays.
func write(words []atomic.Uint64, text string) {
	for i := 0; len(text) > 0; i++ {
		var word [wordSize]byte
		n := copy(word[:], text)
		text = text[n:]
		change(&words[i], binary.NativeEndian.Uint64(word[:]))
	}
}

// read believes no length that it is told.
func read(words []atomic.Uint64, length int) string {
	length = min(length, len(words)*wordSize)
	b := make([]byte, 0, len(words)*wordSize)
	for i := 0; i*wordSize < length; i++ {
		b = binary.NativeEndian.AppendUint64(b, words[i].Load())
	}
	return string(b[:length])
}
