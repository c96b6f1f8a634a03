package proxy

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/Shopify/toxiproxy/v2/stream"

	"github.com/seadog/seadog/loadtest/fault"
)

// linkOf is a link of the connection of that number, with nothing in it.
func linkOf(connection uint64) *link {
	return &link{pair: &pair{number: connection}, dir: stream.Downstream}
}

// Delays returns by how much the first bytes of a connection are late.
func Delays(d fault.Disturbance, connection uint64, n int) []time.Duration {
	s := &spell{what: d}
	t := s.toxic(s.source(linkOf(connection))).(*latency)
	delays := make([]time.Duration, n)
	for i := range delays {
		delays[i] = t.delay()
	}
	return delays
}

// Pieces returns how long the first pieces of a connection are.
func Pieces(d fault.Disturbance, connection uint64, n int) []int64 {
	s := &spell{what: d}
	t := s.toxic(s.source(linkOf(connection))).(*slicer)
	pieces := make([]int64, n)
	for i := range pieces {
		pieces[i] = t.piece()
	}
	return pieces
}

// WithoutReuse makes a socket one that shares its port with nobody.
func WithoutReuse(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 0) })
}
