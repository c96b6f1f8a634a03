package selfdump

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/seadog/seadog/watchdog/process"
)

const (
	// patience is how long one answer may take, with whoever reads it.
	patience = 30 * time.Second
	// rest is how long nobody is heard after a stranger, or when the process has no
	// descriptor left: whoever knocks all the time must not keep it busy.
	rest = 100 * time.Millisecond
)

// Config is what a [Server] needs.
type Config struct {
	// Name says what the process is, "http/0" or "master", when it is asked.
	Name   func() string
	Taker  *Taker
	Routes []string // names of the scoreboard's routes, in order
}

// Server answers for this process, of which only one can.
type Server struct {
	config   Config
	listener *net.UnixListener
}

// Listen opens the socket; from then on askers wait for [Server.Run].
func Listen(c Config) (*Server, error) {
	listener, err := listen()
	if err != nil {
		return nil, fmt.Errorf("listen for who asks for stacks: %w", err)
	}
	return &Server{config: c, listener: listener}, nil
}

// Run answers, one after the other, until ctx ends, and returns when its
// goroutines are gone.
func (s *Server) Run(ctx context.Context) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = s.listener.Close() // wakes Accept
	})
	defer func() {
		if !stop() {
			<-closed
		}
		_ = s.listener.Close()
	}()
	for {
		conn, err := s.listener.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("hear who asks for stacks: %w", err)
		case err != nil || !s.attend(ctx, conn):
			pause(ctx, rest)
		}
	}
}

// attend answers one asker, and returns false if that was nobody to answer.
func (s *Server) attend(ctx context.Context, conn *net.UnixConn) bool {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-interrupted
		}
		_ = conn.Close()
	}()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false
	}
	who, err := peer(conn)
	if err != nil {
		return false
	}
	lines := json.NewEncoder(conn)
	if who.Uid != 0 && int(who.Uid) != os.Geteuid() {
		_ = errors.Join(lines.Encode(greeting{Protocol: protocol}), lines.Encode(reply{Stranger: true})) // it may not listen
		return false
	}
	if lines.Encode(greeting{protocol, s.config.Name()}) != nil {
		return true // it has gone
	}
	r, dump := s.look(ctx)
	if lines.Encode(r) == nil {
		_, _ = dump.WriteTo(conn) // it may have gone
	}
	return true
}

// look takes a dump, unless that could be the end of the process.
func (s *Server) look(ctx context.Context) (reply, *bytes.Buffer) {
	computing, err := process.Unstoppable(ctx)
	switch {
	case err != nil:
		return reply{Problem: err.Error()}, &bytes.Buffer{}
	case len(computing) > 0:
		return reply{Computing: computing, Requests: s.oldest()}, &bytes.Buffer{}
	}
	taken := s.config.Taker.Take()
	text, dropped := s.render(taken)
	return reply{Bytes: text.Len(), Dropped: dropped, Took: taken.Took}, text
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
