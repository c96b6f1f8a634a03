package gate

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// uwsgi is a server that speaks uwsgi, as application servers do behind a web
// server, and so answers nobody who speaks HTTP: the letters GET look to it like
// the head of a packet that it does not know.
type uwsgi struct {
	listener net.Listener
	exited   chan struct{}
	served   sync.WaitGroup
}

func (s *service) startUWSGI() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	u := &uwsgi{listener: l, exited: make(chan struct{})}
	u.served.Go(u.run)
	s.child, s.url = u, "http://"+l.Addr().String()
	return nil
}

func (u *uwsgi) run() {
	defer close(u.exited)
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.served.Go(func() { answer(conn) })
	}
}

// answer reads one packet: modifier, size of the variables, modifier, variables.
func answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil || head[0] != 0 {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.LittleEndian.Uint16(head[1:]))); err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nok\n")
}

// PID implements process: it is this one.
func (u *uwsgi) PID() int                { return os.Getpid() }
func (u *uwsgi) Exited() <-chan struct{} { return u.exited }
func (u *uwsgi) LastLines() error        { return nil }

// Stop implements process.
func (u *uwsgi) Stop(time.Duration) error {
	err := u.listener.Close()
	u.served.Wait()
	return err
}
