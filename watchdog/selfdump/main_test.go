package selfdump_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
)

// childVariable makes the test binary a process that is asked. It behaves as
// the variable says.
const childVariable = "SELFDUMP_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childVariable); mode != "" {
		if err := child(mode); err != nil {
			fmt.Println(err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// child says that it is ready, and lives until it is killed.
func child(mode string) error {
	switch mode {
	case "deaf", "mute", "garbled", "leaving":
		return misbehave(mode)
	}
	region, err := newRegion()
	if err != nil {
		return err
	}
	server, err := selfdump.Listen(selfdump.Config{
		Name: func() string { return region.ID().String() }, Taker: selfdump.NewTaker(region), Routes: []string{"GET /", "POST /pay"},
	})
	if err != nil {
		return err
	}
	switch mode {
	case "deadlocked":
		deadlock(region)
	case "crowded":
		crowd()
	case "computing":
		serve(region, 5, "r5")
		debug.SetGCPercent(-1) // its world can never stop again
		var over atomic.Bool
		go func() {
			for !over.Load() { //nolint:revive // the loop is the fault
			}
		}()
	}
	fmt.Println("ready")
	return server.Run(context.Background())
}

// misbehave answers as no process of ours would.
func misbehave(mode string) error {
	socket, err := selfdump.Socket()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if mode == "deaf" {
		select {}
	}
	for {
		conn, err := socket.Accept()
		if err != nil {
			return err
		}
		switch mode {
		case "mute":
			fmt.Fprintln(conn, `{"protocol":1,"name":"http/0"}`)
			select {}
		case "garbled":
			fmt.Fprintln(conn, `{"protocol":2,"name":"http/0"}`)
		}
		conn.Close()
	}
}

func newRegion() (*scoreboard.Region, error) {
	board, _, err := scoreboard.Create(scoreboard.Layout{Pools: []scoreboard.PoolLayout{{Name: "http", Regions: 1, Slots: 8}}})
	if err != nil {
		return nil, err
	}
	pool, err := board.Pool("http")
	if err != nil {
		return nil, err
	}
	region, err := pool.Region(0)
	if err != nil {
		return nil, err
	}
	region.Begin(1, 0)
	region.Use(8)
	return region, nil
}

// serve shows a request in a slot.
func serve(region *scoreboard.Region, slot int, id string) {
	s := &region.Slots()[slot]
	token := s.Token().Next(scoreboard.Reading)
	s.Set(token)
	s.Describe(scoreboard.Request{ID: id, Route: 1, Begun: scoreboard.Now()})
	s.Set(token.To(scoreboard.Running))
}

type account struct{ mu sync.Mutex }

// pay never returns: its mate has locked the accounts in the other order.
func pay(pin int, a, b *account, both *sync.WaitGroup) int {
	a.mu.Lock()
	both.Done()
	both.Wait()
	b.mu.Lock()
	return pin
}

const secretPIN = 0x5ec2e7

func deadlock(region *scoreboard.Region) {
	a, b := &account{}, &account{}
	var both sync.WaitGroup
	both.Add(2)
	for slot, pair := range [][2]*account{{a, b}, {b, a}} {
		serve(region, slot, fmt.Sprintf("r%d", slot))
		labels := pprof.Labels("slot", strconv.Itoa(slot), "token", "s3cret")
		go pprof.Do(context.Background(), labels, func(context.Context) { pay(secretPIN, pair[0], pair[1], &both) })
	}
	both.Wait()
	for !waiting(2) {
		runtime.Gosched()
	}
}

// waiting reports whether so many goroutines wait for a mutex.
func waiting(want int) bool {
	buf := make([]byte, 1<<20)
	text, n := string(buf[:runtime.Stack(buf, true)]), 0
	for range want {
		i := indexAfter(text[n:], "[sync.Mutex.Lock")
		if i < 0 {
			return false
		}
		n += i
	}
	return true
}

const crowdSize = 6000

func crowd() {
	var started sync.WaitGroup
	for range crowdSize {
		started.Add(1)
		go func() {
			started.Done()
			select {}
		}()
	}
	started.Wait()
}

// start runs a child and returns its pid when it is ready.
func start(t *testing.T, mode string) int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVariable+"="+mode, "GODEBUG=tracebacklabels=1,asyncpreemptoff=1", "GOMAXPROCS=4")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return cmd.Process.Pid
}
