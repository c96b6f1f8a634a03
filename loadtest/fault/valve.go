package fault

import (
	"io"
	"sync"
)

// Valve lets what is read through it flow, or not: it is put between a service's
// console and who reads it. While it is shut nobody reads, the pipe runs full,
// and the service's writes wait. What was being read when it was shut is held
// back as well; the pipe has then lost one piece, and nothing is ever lost to the
// reader.
type Valve struct {
	from io.Reader

	mu   sync.Mutex
	shut chan struct{} // nil: open; closed when it opens
}

// NewValve returns an open one.
func NewValve(from io.Reader) *Valve { return &Valve{from: from} }

// Read reads when the valve is open. A shut one is not noticed by who reads, but
// for the wait.
func (v *Valve) Read(p []byte) (int, error) {
	v.wait()
	n, err := v.from.Read(p)
	v.wait()
	return n, err
}

func (v *Valve) wait() {
	v.mu.Lock()
	opens := v.shut
	v.mu.Unlock()
	if opens != nil {
		<-opens
	}
}

// Shut stops the flow. It is an error to shut a shut one.
func (v *Valve) Shut() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut != nil {
		return errShut
	}
	v.shut = make(chan struct{})
	return nil
}

// Open lets it flow again; an open one stays so.
func (v *Valve) Open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut != nil {
		close(v.shut)
		v.shut = nil
	}
}
