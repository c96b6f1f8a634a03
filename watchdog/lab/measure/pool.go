package main

import (
	"context"
	"net"

	"golang.org/x/sys/unix"
)

// pool keeps connections alive between requests. They are used in turn, so
// that those of every worker are used. A nil pool keeps nothing.
type pool struct {
	idle chan net.Conn
}

const poolSize = 32

// newPool opens all its connections.
func newPool(ctx context.Context, addr string) (*pool, error) {
	p := &pool{idle: make(chan net.Conn, poolSize)}
	for range poolSize {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			p.drop()
			return nil, err
		}
		p.idle <- conn
	}
	return p, nil
}

// take returns a connection that the server has not closed, or nil.
func (p *pool) take() net.Conn {
	if p == nil {
		return nil
	}
	for {
		select {
		case conn := <-p.idle:
			if quiet(conn) {
				return conn
			}
			_ = conn.Close()
		default:
			return nil
		}
	}
}

// put keeps conn and reports whether there was room for it.
func (p *pool) put(conn net.Conn) bool {
	select {
	case p.idle <- conn:
		return true
	default:
		return false
	}
}

// drop closes what is idle.
func (p *pool) drop() {
	for conn := p.take(); conn != nil; conn = p.take() {
		_ = conn.Close()
	}
}

// quiet reports whether nothing has arrived on conn: no end, and no bytes,
// which nobody asked for.
func quiet(conn net.Conn) bool {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = err == unix.EAGAIN
		return true
	})
	return err == nil && quiet
}
