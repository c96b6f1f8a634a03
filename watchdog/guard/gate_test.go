package guard_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// beating keeps a worker's heartbeat fresh.
func beating(t *testing.T, r *scoreboard.Region) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	r.Beat(scoreboard.Vitals{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				r.Beat(scoreboard.Vitals{})
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
}

// shared returns n listeners on one socket, as processes share it.
func shared(t *testing.T, n int) (addr string, all []net.Listener) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer ln.Close()
	for range n {
		l, err := net.FileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return ln.Addr().String(), all
}

func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
}

func (r *rig) serveOn(t *testing.T, ln net.Listener, h http.Handler) {
	t.Helper()
	s := &http.Server{Handler: h}
	r.HTTP(s)
	runServer(t, s, r.Listen(ln), "")
}

func TestOnlyWhoIsToldToAccepts(t *testing.T) {
	t.Parallel()
	all := regions(t, 2, 64)
	addr, lns := shared(t, 2)
	first, second := start(t, all[0], watchdog.Policy{}), start(t, all[1], watchdog.Policy{})
	first.serveOn(t, lns[0], named("first"))
	second.serveOn(t, lns[1], named("second"))
	wants := func(name string) {
		t.Helper()
		strays := 0
		for range 50 {
			c := dial(t, addr)
			c.get("/")
			if a := c.answer(); a == nil || a.text != name {
				strays++
			}
			_ = c.Close()
		}
		// Who is just inside of accept(2) when it is told not to takes one.
		if strays > 1 {
			t.Fatalf("%d answers by another than %s", strays, name)
		}
	}
	wants("first")
	for range 5 {
		all[1].Promote()
		second.Wake()
		all[0].Dismiss()
		first.Wake() // it waits in Accept
		wants("second")
		all[0].Promote()
		first.Wake()
		all[1].Dismiss()
		second.Wake()
		wants("first")
	}
	// Nobody is told to wake: it is noticed by itself.
	all[0].Dismiss()
	all[1].Promote()
	c := dial(t, addr)
	c.get("/")
	if a := c.answer(); a == nil || a.StatusCode != http.StatusOK {
		t.Errorf("answer: %+v", a)
	}
}

func TestAWorkerInWhichNothingCompletesStopsAccepting(t *testing.T) {
	t.Parallel()
	all := regions(t, 2, 64)
	g := start(t, all[0], watchdog.Policy{Harakiri: time.Minute})
	all[1].Promote()
	beating(t, all[1])
	s := newStuck()
	defer s.free()
	addr := g.serve(t, s)
	keep := dial(t, addr) // a connection from before
	var clients []*client
	for range 4 {
		c := dial(t, addr)
		c.get("/")
		<-s.entered
		clients = append(clients, c)
	}
	eventually(t, "the gate closes", func() bool { return all[0].Counted(scoreboard.Gates) == 1 && !all[0].Accepting() })
	for range 8 {
		c := dial(t, addr)
		c.get("/")
		clients = append(clients, c)
	}
	// One of them is let in each second.
	last := time.Now()
	for i := range 2 {
		<-s.entered
		if gap := time.Since(last); gap < 800*time.Millisecond {
			t.Errorf("probe %d came after %s", i, gap)
		}
		last = time.Now()
	}
	select {
	case <-s.entered:
		t.Error("more than one probe")
	case <-time.After(300 * time.Millisecond):
	}
	keep.get("/")
	<-s.entered // it is served, gate or not
	s.free()
	keep.want(http.StatusOK, "late")
	eventually(t, "the gate opens", all[0].Accepting)
	for _, c := range clients {
		c.want(http.StatusOK, "late")
	}
}

func TestAnswersBehindAClosedGateEndTheirConnection(t *testing.T) {
	t.Parallel()
	all := regions(t, 2, 64)
	g := start(t, all[0], watchdog.Policy{Harakiri: time.Minute})
	all[1].Promote()
	beating(t, all[1])
	s := newStuck()
	defer s.free()
	mux := http.NewServeMux()
	mux.Handle("/", s)
	fast := make(chan struct{})
	mux.HandleFunc("/fast", func(http.ResponseWriter, *http.Request) { <-fast })
	addr := g.serve(t, mux)
	keep := dial(t, addr)
	for range 4 {
		dial(t, addr).get("/")
		<-s.entered
	}
	eventually(t, "the gate closes", func() bool { return !all[0].Accepting() })
	keep.get("/fast")
	close(fast)
	if a := keep.want(http.StatusOK, ""); !a.Close {
		t.Error("the connection goes on")
	}
}

func TestTheLastWorkerGoesOnAccepting(t *testing.T) {
	t.Parallel()
	all := regions(t, 2, 64) // the other does not accept
	beating(t, all[1])
	g := start(t, all[0], watchdog.Policy{Harakiri: time.Minute})
	s := newStuck()
	defer s.free()
	addr := g.serve(t, s)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 20 { // four times as long as it takes
		dial(t, addr).get("/")
		<-s.entered
		<-tick.C
	}
	if n := all[0].Counted(scoreboard.Gates); n != 0 || !all[0].Accepting() {
		t.Errorf("%d gates", n)
	}
}

func TestTheOldestIdleConnectionMakesRoom(t *testing.T) {
	t.Parallel()
	const slots = 16
	g := start(t, regions(t, 1, slots)[0], watchdog.Policy{})
	addr := g.serve(t, named("x"))
	var clients []*client
	for range 3 * slots {
		c := dial(t, addr)
		c.get("/")
		c.want(http.StatusOK, "x")
		clients = append(clients, c)
		// So that the order in which they are idle is that of their requests.
		eventually(t, "it is idle", func() bool { return g.phases(scoreboard.Reading)+g.phases(scoreboard.Answering) == 0 })
	}
	for _, c := range clients[:2*slots] {
		c.wantEnd()
	}
	for _, c := range clients[len(clients)-slots/2:] {
		c.get("/")
		c.want(http.StatusOK, "x")
	}
	if n := len(g.region.Used()); n > slots {
		t.Errorf("%d slots used", n)
	}
}

func TestWithoutAFreeSlotNothingIsAccepted(t *testing.T) {
	t.Parallel()
	const slots = 4
	g := start(t, regions(t, 1, slots)[0], watchdog.Policy{Harakiri: time.Minute})
	s := newStuck()
	defer s.free()
	addr := g.serve(t, s)
	var clients []*client
	for range 2 * slots {
		c := dial(t, addr)
		c.get("/")
		clients = append(clients, c)
	}
	for range slots {
		<-s.entered
	}
	if n := g.phases(scoreboard.Running); n != slots {
		t.Errorf("%d requests run", n)
	}
	s.free()
	for _, c := range clients {
		c.want(http.StatusOK, "late")
	}
}

func TestAnAdoptedConnectionIsServedAtOnce(t *testing.T) {
	t.Parallel()
	g := single(t, watchdog.Policy{})
	addr := g.serve(t, named("x"))
	c := dial(t, addr) // so that the server waits for the next in Accept
	c.get("/")
	c.want(http.StatusOK, "x")
	for range 20 {
		here, there := net.Pipe()
		g.Adopt(there)
		adopted := speak(t, here)
		adopted.get("/")
		adopted.want(http.StatusOK, "x")
		_ = here.Close()
	}
}

func TestAClosedListenerAcceptsNothing(t *testing.T) {
	t.Parallel()
	all := regions(t, 1, 4)
	all[0].Dismiss()
	g := start(t, all[0], watchdog.Policy{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := g.Listen(inner)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if nc, err := ln.Accept(); nc != nil || !errors.Is(err, net.ErrClosed) {
				t.Errorf("accepted %v, %v", nc, err)
			}
		})
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	here, there := net.Pipe()
	g.Adopt(there)
	if err := ln.Close(); err == nil {
		t.Error("closed twice")
	}
	g.Drain()
	if _, err := here.Read(make([]byte, 1)); err == nil {
		t.Error("an adopted connection was left open")
	}
}

func TestAConfigMustBeComplete(t *testing.T) {
	t.Parallel()
	if _, err := guard.New(guard.Config{TaskGrace: -1}); err == nil {
		t.Error("no error")
	}
	if _, err := guard.New(guard.Config{Region: regions(t, 1, 0)[0]}); err == nil {
		t.Error("no error without slots")
	}
	defer func() {
		if recover() == nil {
			t.Error("a route that nobody knows")
		}
	}()
	single(t, watchdog.Policy{}).Route("/unknown", guard.Limits{})
}
