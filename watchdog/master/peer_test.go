package master_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// peer is the worker's side of what the master expects, as small as it can be.
// That it is not package worker keeps the faults of these tests their own.
type peer struct {
	in      *handoff.Inheritance
	board   *scoreboard.Board
	region  *scoreboard.Region
	adopted chan net.Conn
	wake    chan struct{}
	ready   sync.Once
	muted   atomic.Bool // it does not beat any more
}

var errStop = errors.New("told to stop now")

func newPeer() (*peer, error) {
	in, err := handoff.Claim()
	if err != nil {
		return nil, err
	}
	p := &peer{in: in, adopted: make(chan net.Conn, 64), wake: make(chan struct{}, 1)}
	if p.board, err = scoreboard.Open(in.Scoreboard); err != nil {
		return nil, err
	}
	if !slices.Equal(p.board.Layout().Counters, counters) {
		return nil, errors.New("the scoreboard has other counters")
	}
	pool, err := p.board.Pool(in.Manifest.Pool)
	if err != nil {
		return nil, err
	}
	p.region, err = pool.Region(in.Manifest.Region)
	return p, err
}

func (p *peer) Ready() error {
	var err error
	p.ready.Do(func() { err = p.in.Control.Send(handoff.Message{Kind: handoff.MessageReady}) })
	return err
}

// Run beats and obeys while serve runs.
func (p *peer) Run(serve func(intake, work context.Context) error) error {
	work, stop := context.WithCancelCause(context.Background())
	intake, drain := context.WithCancel(work)
	defer drain()
	go p.beat()
	go p.listen(drain, stop)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	go func() {
		for s := range signals {
			if s == unix.SIGTERM {
				if os.Getppid() != p.in.Manifest.Master {
					stop(errStop)
				}
				drain()
			}
		}
	}()
	err := serve(intake, work)
	if err != nil {
		_ = p.in.Control.Send(handoff.Message{Kind: handoff.MessageFailed, Text: err.Error()})
	}
	return err
}

func (p *peer) beat() {
	for range time.Tick(50 * time.Millisecond) {
		if p.muted.Load() {
			return
		}
		p.region.Beat(scoreboard.Vitals{Goroutines: 10, Procs: 4})
	}
}

func (p *peer) listen(drain func(), stop context.CancelCauseFunc) {
	for {
		m, err := p.in.Control.Receive()
		if err != nil {
			time.AfterFunc(p.in.Manifest.KillGrace, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) })
			stop(errStop)
			return
		}
		switch m.Kind {
		case handoff.MessageDrain:
			drain()
		case handoff.MessageStop:
			stop(errStop)
		case handoff.MessageAccept:
			select {
			case p.wake <- struct{}{}:
			default:
			}
		case handoff.MessageAdopt:
			if conn, err := net.FileConn(m.File); err == nil {
				p.adopted <- conn
			}
			_ = m.File.Close()
		}
	}
}

func (p *peer) Listener() net.Listener      { return p.in.Listeners["public"] }
func (p *peer) Doorbell() *handoff.Doorbell { return p.in.Doorbells["work"] }
