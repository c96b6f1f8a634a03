package master_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// guarded is a small HTTP server that publishes its requests in slots.
type guarded struct {
	*peer
	mu      sync.Mutex
	conns   map[int]net.Conn // of the slots that were ever used
	free    []int
	intake  context.Context
	closing atomic.Bool
	down    atomic.Bool // a dependency, for which all requests wait
	open    sync.WaitGroup
	global  sync.Mutex // what wedged requests wait for
	eaten   [][]byte
}

// serveGuarded accepts while it is told to. Requests get their 504 from here
// after the policy's soft deadline.
func serveGuarded(intake, _ context.Context, p *peer, args []string) error {
	g := &guarded{peer: p, conns: map[int]net.Conn{}, intake: intake}
	g.global.Lock()
	if len(args) > 0 {
		eat, _ := strconv.Atoi(args[0])
		g.eat(eat)
	}
	g.open.Go(g.accept)
	go g.watch()
	if err := p.Ready(); err != nil {
		return err
	}
	<-intake.Done()
	g.closing.Store(true)
	g.closeIdle()
	g.open.Wait()
	return nil
}

func (g *guarded) eat(mb int) {
	b := make([]byte, mb<<20)
	for i := range b {
		b[i] = 1
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.eaten = append(g.eaten, b)
}

func (g *guarded) accept() {
	listener := g.Listener().(*net.TCPListener)
	for g.intake.Err() == nil {
		select {
		case conn := <-g.adopted:
			g.open.Add(1)
			go g.serve(conn)
		default:
		}
		if !g.region.Accepting() {
			select {
			case <-g.wake:
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		_ = listener.SetDeadline(time.Now().Add(10 * time.Millisecond))
		conn, err := listener.Accept()
		if err == nil {
			g.open.Add(1)
			go g.serve(conn)
		}
	}
}

// watch is the soft harakiri.
func (g *guarded) watch() {
	for range time.Tick(10 * time.Millisecond) {
		used := g.region.Used()
		for i := range used {
			t := used[i].Token()
			if t.Phase() == scoreboard.Running && used[i].Soft() != 0 && scoreboard.Now() > used[i].Soft() && used[i].Swap(t, t.To(scoreboard.Killed)) {
				used[i].SetKilled(scoreboard.Now())
				if g.down.Load() {
					used[i].SetWaiting(4711)
				}
				g.mu.Lock()
				conn := g.conns[i]
				g.mu.Unlock()
				fmt.Fprint(conn, "HTTP/1.1 504 Gateway Timeout\r\nConnection: close\r\nContent-Length: 6\r\n\r\nworker")
				_ = conn.(*net.TCPConn).CloseWrite()
			}
		}
	}
}

// closeIdle ends the idle connections of a worker that drains, after a moment.
func (g *guarded) closeIdle() {
	go func() {
		for range time.Tick(time.Second) {
			used := g.region.Used()
			for i := range used {
				t := used[i].Token()
				taken := t.Phase() == scoreboard.Seized // by the master: ours is only a duplicate
				if taken || t.Phase() == scoreboard.Idle && used[i].Swap(t, t.To(scoreboard.Hijacked)) {
					g.mu.Lock()
					_ = g.conns[i].Close()
					g.mu.Unlock()
				}
			}
		}
	}()
}

func (g *guarded) take(conn net.Conn) (int, *scoreboard.Slot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := len(g.conns)
	if n := len(g.free); n > 0 {
		i, g.free = g.free[n-1], g.free[:n-1]
	}
	g.conns[i] = conn
	g.region.Use(i + 1)
	s := &g.region.Slots()[i]
	raw, _ := conn.(*net.TCPConn).SyscallConn()
	_ = raw.Control(func(fd uintptr) {
		cookie, _ := unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
		s.SetSocket(int(fd), cookie, false)
	})
	s.Set(s.Token().Next(scoreboard.Idle))
	return i, s
}

func (g *guarded) serve(conn net.Conn) {
	defer g.open.Done()
	i, s := g.take(conn)
	defer func() {
		if t := s.Token(); t.Phase() != scoreboard.Seized {
			s.Set(t.Next(scoreboard.Empty))
			g.mu.Lock()
			g.free = append(g.free, i)
			g.mu.Unlock()
		}
		_ = conn.Close()
	}()
	r := bufio.NewReader(conn)
	pprof.Do(context.Background(), pprof.Labels("slot", strconv.Itoa(i)), func(context.Context) {
		for g.next(conn, s) {
			req, err := http.ReadRequest(r)
			if err != nil || !g.answer(conn, s, req) {
				return
			}
		}
	})
}

// next waits for the first byte of a request, and has won the token then.
func (g *guarded) next(conn net.Conn, s *scoreboard.Slot) bool {
	raw, _ := conn.(*net.TCPConn).SyscallConn()
	won := false
	_ = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			return false
		}
		t := s.Token()
		won = err == nil && n > 0 && t.Phase() == scoreboard.Idle && s.Swap(t, t.To(scoreboard.Reading))
		return true
	})
	return won
}

func (g *guarded) answer(conn net.Conn, s *scoreboard.Slot, req *http.Request) bool {
	now, policy := scoreboard.Now(), g.in.Manifest.Policy
	soft := now + int64(policy.Harakiri)
	if own, err := time.ParseDuration(req.FormValue("soft")); err == nil {
		soft = now + int64(own)
	}
	s.Describe(scoreboard.Request{
		ID: req.Header.Get("X-Request-Id"), Client: conn.RemoteAddr().String(), Route: 0,
		Begun: now, Soft: soft, Hard: soft + int64(policy.Slack),
	})
	reading := s.Token()
	running := reading.To(scoreboard.Running)
	if !s.Swap(reading, running) {
		return false
	}
	body := g.handle(s, req)
	if !s.Swap(running, running.To(scoreboard.Answering)) {
		return false
	}
	last := req.Close || g.closing.Load()
	head := ""
	if last {
		head = "Connection: close\r\n"
	}
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	s.Complete()
	if last {
		return false
	}
	s.Set(running.Next(scoreboard.Idle))
	return true
}

func (g *guarded) handle(s *scoreboard.Slot, req *http.Request) string {
	switch req.URL.Path {
	case "/wedge":
		g.wedge()
	case "/leave":
		time.Sleep(2 * time.Second) // longer than the soft deadline, shorter than the mercy
	case "/crash":
		go panic("crashed on purpose") // not here: deferred functions would tidy up
		g.wedge()
	case "/freeze":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "/deadlock":
		g.region.ReportDeadlock()
		g.wedge()
	case "/group":
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			return err.Error()
		}
		s.SetGroup(cmd.Process.Pid)
		_ = os.WriteFile(req.FormValue("mark"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
		g.wedge()
	case "/slow":
		d, _ := time.ParseDuration(req.FormValue("for"))
		_ = os.WriteFile(req.FormValue("mark"), nil, 0o600)
		time.Sleep(d)
	case "/hush":
		g.muted.Store(true)
	case "/mute":
		g.muted.Store(true)
		g.wedge()
	case "/dependency":
		g.down.Store(true)
		g.wedge()
	case "/eat":
		mb, _ := strconv.Atoi(req.FormValue("mb"))
		g.eat(mb)
	}
	return strconv.Itoa(os.Getpid())
}

// wedge never returns.
func (g *guarded) wedge() { g.global.Lock() }

// serveStuckRunner is busy with a deployment whose step does not end.
func serveStuckRunner(_, _ context.Context, p *peer, args []string) error {
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(args[0], []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return err
	}
	now := scoreboard.Now()
	p.region.Use(1)
	s := &p.region.Slots()[0]
	s.Set(s.Token().Next(scoreboard.Reading))
	s.Describe(scoreboard.Request{ID: "deployment-1", Begun: now, Hard: now + int64(300*time.Millisecond)})
	s.SetGroup(cmd.Process.Pid)
	s.Set(s.Token().To(scoreboard.Running))
	if err := p.Ready(); err != nil {
		return err
	}
	return cmd.Wait()
}
