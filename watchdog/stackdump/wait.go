package stackdump

import (
	"cmp"
	"strings"
)

// Kind is what kind of lock a goroutine waits for.
type Kind string

const (
	Mutex   Kind = "mutex"
	RWMutex Kind = "rwmutex"
	Once    Kind = "once"
)

// Offsets of the semaphores that waiters sleep on, from the start of the lock.
const (
	mutexSema   = 4
	writersSema = 8
	readersSema = 12
)

// Wait is a goroutine's wait for a lock.
type Wait struct {
	Kind Kind
	// Lock is its address; 0 if the dump does not show it. runtime.Stack shows
	// that of a mutex, SIGQUIT that of an RWMutex too, a profile with debug=1 none.
	Lock Addr
	At   Frame // who called Lock, outside the standard library
}

// Wait reports whether g sleeps until a lock is free, and until which. Who
// runs, if only to try again, does not wait: the lock moves.
func (g *Goroutine) Wait() (w Wait, ok bool) {
	if g.State == "running" || g.State == "runnable" || g.State == "preempted" {
		return w, false
	}
	switch g.State {
	case "sync.Mutex.Lock":
		w.Kind = Mutex
	case "sync.RWMutex.Lock", "sync.RWMutex.RLock":
		w.Kind = RWMutex
	}
	var sema Addr
	below := func(offset Addr) Addr { return max(sema, offset) - offset }
	for _, f := range g.Frames {
		if !standard(f.Func) {
			break
		}
		switch f.Func {
		case "runtime.semacquire1":
			sema = f.Arg
		case "internal/sync.(*Mutex).lockSlow", "sync.(*Mutex).lockSlow":
			w.Kind, w.Lock = Mutex, f.Arg
			if w.Lock == 0 {
				w.Lock = below(mutexSema)
			}
		case "sync.(*RWMutex).Lock":
			if w.Kind = RWMutex; w.Lock == 0 { // else it waits for another writer, at the same address
				w.Lock = below(writersSema)
			}
		case "sync.(*RWMutex).RLock":
			w.Kind, w.Lock = RWMutex, below(readersSema)
		case "sync.(*Once).doSlow":
			if w.Kind == Mutex {
				w.Kind = Once
			}
		}
	}
	w.At = g.Where()
	return w, w.Kind != ""
}

// Where is where a goroutine is, as far as people care: the innermost frame
// outside the standard library; in a goroutine of the standard library's own
// the innermost that is not about waiting as such.
func (g *Goroutine) Where() Frame {
	var inner, outer Frame
	for _, f := range g.Frames {
		switch pkg := Package(f.Func); {
		case !standard(f.Func):
			return f
		case pkg == "runtime":
		case pkg != "sync" && pkg != "syscall" && !strings.HasPrefix(pkg, "internal/"):
			inner = cmp.Or(inner, f)
		default:
			outer = f
		}
	}
	if none := (Frame{}); inner == none && outer == none && len(g.Frames) > 0 {
		return g.Frames[0]
	}
	return cmp.Or(inner, outer)
}

// Package returns the import path of the package that a function is in.
func Package(name string) string {
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		return name[:slash+dot]
	}
	return name
}

// standard reports whether a function is of the standard library. Its import
// paths look like those of a module without a dot, so they are listed.
func standard(name string) bool {
	first := Package(name)
	if slash := strings.IndexByte(first, '/'); slash >= 0 {
		first = first[:slash]
	}
	switch first {
	case "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug",
		"embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal",
		"io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime",
		"slices", "sort", "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode",
		"unique", "unsafe", "vendor", "weak", "panic":
		return true
	}
	return false
}
