package stackdump

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Dump is what one text said.
type Dump struct {
	// Reason is the first line that says why a process printed this ("SIGQUIT:
	// quit", "panic: …", "fatal error: …"); "" if none does.
	Reason     string
	Goroutines []Goroutine
	// Dropped counts goroutines that are not in Goroutines because the budget was spent.
	Dropped int
	// Problems are the first things that were not understood; MoreProblems
	// counts the others.
	Problems     []Problem
	MoreProblems int
}

// Total is the number of goroutines that the dump tells of.
func (d *Dump) Total() int {
	n := d.Dropped
	for i := range d.Goroutines {
		n += d.Goroutines[i].Count
	}
	return n
}

// Problem is a place where a dump is not as Go prints it.
type Problem struct {
	Line      int    // from 1
	Goroutine int64  // 0 if it belongs to none that is known
	What      string // a short phrase
}

// Goroutine is one goroutine, or in a profile with debug=1 all that have the
// same stack and labels.
type Goroutine struct {
	ID    int64 // 0 in a profile with debug=1
	Count int   // 1, more only in a profile with debug=1
	// State is the runtime's word for it: "running", "select", "sync.Mutex.Lock".
	// A profile with debug=1 does not tell: "".
	State string
	// Minutes is how long it waits. 0 says nothing: the runtime counts from
	// one garbage collection to another, up to two minutes wrong in both directions.
	Minutes     int
	Locked      bool              // to its thread
	Leaked      bool              // the garbage collector found that nothing can wake it
	Scan        bool              // its stack was being scanned
	Bubble      int64             // of testing/synctest; 0 if none
	Labels      map[string]string // of runtime/pprof; nil if none
	Frames      []Frame           // innermost first
	Elided      bool              // frames are missing
	Unavailable bool              // it ran on another thread and has no stack here
	Creator     Frame             // zero for the main goroutine and in a profile with debug=1
	CreatorID   int64             // 0 if not told
}

// Frame is one call.
type Frame struct {
	Func string // with its package path: "example.com/shop.(*Cart).Add"
	File string // "" if the line that tells is missing
	Line int
	// Arg is the first argument, for methods the receiver; 0 if it is not
	// shown, not a plain word, or marked as unreliable.
	Arg Addr
}

// Name is the function without the directory of its package: "shop.(*Cart).Add".
func (f Frame) Name() string { return f.Func[strings.LastIndexByte(f.Func, '/')+1:] }

// String is the frame as people name it: "shop.(*Cart).Add (cart.go:88)".
func (f Frame) String() string {
	switch {
	case f.Func == "":
		return "no stack"
	case f.File == "":
		return f.Name()
	}
	return fmt.Sprintf("%s (%s:%d)", f.Name(), path.Base(f.File), f.Line)
}

// Addr is an address in the process that was dumped.
type Addr uint64

func (a Addr) String() string { return "0x" + strconv.FormatUint(uint64(a), 16) }

// MarshalText writes the address as the runtime does; JSON numbers are too short for it.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
