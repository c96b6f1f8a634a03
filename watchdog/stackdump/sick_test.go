package stackdump_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/stackdump"
)

// sickVariable makes the test binary a sick program; its value says which dump
// it prints.
const sickVariable = "STACKDUMP_SICK"

func TestMain(m *testing.M) {
	if how := os.Getenv(sickVariable); how != "" {
		beSick(how)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// account is locked in both orders.
type account struct{ mu sync.Mutex }

func (a *account) moveTo(b *account, bothFirst *sync.WaitGroup) {
	a.mu.Lock()
	bothFirst.Done()
	bothFirst.Wait()
	b.mu.Lock() // never returns
}

func label(slot string, f func()) {
	go pprof.Do(context.Background(), pprof.Labels("slot", slot, "route", `GET "/" x`), func(context.Context) { f() })
}

// patients is how many goroutines wait for a lock in a sick program.
const patients = 9

func beSick(how string) {
	debug.SetTraceback("all")
	a, b := &account{}, &account{}
	var firsts sync.WaitGroup
	firsts.Add(2)
	label("1", func() { a.moveTo(b, &firsts) })
	label("2", func() { b.moveTo(a, &firsts) })
	firsts.Wait()
	for i := range 3 {
		label(fmt.Sprint(10+i), func() { a.mu.Lock() })
	}
	var table sync.RWMutex
	table.RLock()
	await(func(d *stackdump.Dump) bool { return waiting(d) == 5 })
	go func() { table.Lock() }()
	await(func(d *stackdump.Dump) bool { return waiting(d) == 6 })
	go func() { table.RLock() }()
	go func() { table.Lock() }()
	var once sync.Once
	entered := make(chan bool)
	go once.Do(func() { close(entered); select {} })
	<-entered
	go once.Do(func() {})
	go func() { var never chan int; <-never }()
	go func() { runtime.LockOSThread(); make(chan int) <- 1 }()
	go time.Sleep(time.Hour)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _, _ = listener.Accept() }()
	await(func(d *stackdump.Dump) bool {
		return waiting(d) == patients && inState(d, "IO wait") == 1 && inState(d, "sleep") == 1 && inState(d, "chan send") == 1
	})
	switch how {
	case "stack":
		_, _ = os.Stdout.Write(stack())
	case "debug1":
		_ = pprof.Lookup("goroutine").WriteTo(os.Stdout, 1)
	case "debug2":
		_ = pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
	case "sigquit":
		os.Stdout.Close()
		_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		select {}
	}
}

func stack() []byte {
	buf := make([]byte, 4<<20)
	return buf[:runtime.Stack(buf, true)]
}

// await looks at this process until it is as wanted.
func await(wanted func(*stackdump.Dump) bool) {
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if d, err := stackdump.Parse(bytes.NewReader(stack()), 0); err == nil && wanted(d) {
			return
		}
		runtime.Gosched()
	}
	panic("the process does not become as sick as it should")
}

func waiting(d *stackdump.Dump) (n int) {
	for i := range d.Goroutines {
		if _, ok := d.Goroutines[i].Wait(); ok {
			n++
		}
	}
	return n
}

func inState(d *stackdump.Dump, state string) (n int) {
	for _, g := range d.Goroutines {
		if g.State == state {
			n++
		}
	}
	return n
}

// sickDump runs a sick program and returns what it printed.
func sickDump(t *testing.T, how string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), sickVariable+"="+how, "GODEBUG=tracebacklabels=1", "GOTRACEBACK=all")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && how != "sigquit" {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}
