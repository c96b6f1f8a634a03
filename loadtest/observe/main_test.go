package observe_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

// role makes the test program a child that does nothing but share memory.
const role = "OBSERVE_TEST_CHILD"

const sharedBytes = 128 << 20

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		shared, err := unix.Mmap(-1, 0, sharedBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			panic(err)
		}
		for i := 0; i < len(shared); i += 4096 {
			shared[i] = 1
		}
		fmt.Println("here")
		select {} // until it is killed
	}
	goleak.VerifyTestMain(m)
}

// child starts a process of this program and waits until it is there.
func child(t *testing.T) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), role+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// page is a service whose metrics are one text.
type page struct {
	text   atomic.Pointer[string]
	status atomic.Int32
}

func (p *page) show(text string) { p.text.Store(&text) }

func (p *page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(int(p.status.Load()))
	_, _ = w.Write([]byte(*p.text.Load()))
}

func serve(t *testing.T, text string) (*page, loadtest.Target) {
	t.Helper()
	p := &page{}
	p.show(text)
	p.status.Store(http.StatusOK)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, loadtest.Target{Metrics: loadtest.Endpoint{URL: server.URL + "/metrics"}}
}

// watch returns an observer whose clock counts its readings.
func watch(t *testing.T, c observe.Config) *observe.Observer {
	t.Helper()
	if c.Since == nil {
		var ticks atomic.Int64
		c.Since = func() time.Duration { return time.Duration(ticks.Add(1)) }
	}
	o, err := observe.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
