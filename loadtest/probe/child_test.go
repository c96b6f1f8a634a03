package probe_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
)

// runChild sends requests to the servers at the addresses in the arguments,
// in surroundings that only a process of its own can have.
func runChild(name string) int {
	if name == "ports" {
		// A network of its own, in which there are ten ports.
		if err := errors.Join(loopbackUp(), os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40009"), 0)); err != nil {
			fmt.Println("SKIPPED:", err)
			return 0
		}
		return holdConnections(2)
	}
	// Descriptors: so many that some connections can be had.
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 32, Max: 32}); err != nil {
		fmt.Println("SKIPPED:", err)
		return 0
	}
	return holdConnections(1)
}

// holdConnections opens as many as it can to each of n silent servers, and
// prints how many there were and why there were not more.
func holdConnections(n int) int {
	for i := range n {
		for j, name := range transports() {
			// Nobody accepts: descriptors and ports are for the client.
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 31820+2*i+j))
			if err != nil {
				fmt.Println(err)
				return 1
			}
			base := "http://" + ln.Addr().String()
			p, err := probe.New(probe.Config{Client: loadtest.Client{Transport: name, MaxConns: 1000, Timeout: time.Minute}, BaseURL: base, Start: time.Now()})
			if err != nil {
				fmt.Println(err)
				return 1
			}
			results := make(chan loadtest.Sample)
			sent := 0
			for ; ; sent++ {
				go func() { results <- send(p, request(new(testing.T), "GET", base, "", loadtest.Expect{})) }()
				if got, failed := settled(p, results, sent+1); failed {
					fmt.Printf("%d %s %d: %s %q sent:%v\n", i, name, sent, got.Outcome, got.Class, got.Sent != 0)
					break
				}
			}
			p.Abort()
			for range sent {
				<-results
			}
			p.Close()
			_ = ln.Close()
		}
	}
	return 0
}

// settled waits until n connections are open, or one has failed.
func settled(p *probe.Probe, results chan loadtest.Sample, n int) (loadtest.Sample, bool) {
	for {
		select {
		case got := <-results:
			return got, true
		case <-time.After(time.Millisecond):
			if open, _ := p.Connections(); open == n {
				return loadtest.Sample{}, false
			}
		}
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

func child(t *testing.T, name string, attributes *syscall.SysProcAttr) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.SysProcAttr = attributes
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		skip(t, err.Error())
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if reason, found := strings.CutPrefix(string(out), "SKIPPED:"); found {
		skip(t, reason)
	}
	return string(out)
}

// skip says loudly that a test could not run here; where it must, it fails.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("SKIPPED:", why)
}

// TestPortsThatRanOutAreOurFault: and a port is taken only as far as its
// destination goes, which it would not be if sockets were bound to an address.
func TestPortsThatRanOutAreOurFault(t *testing.T) {
	t.Parallel()
	out := child(t, "ports", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
	want := `0 nethttp 10: own_fault "no ports" sent:false
0 fasthttp 10: own_fault "no ports" sent:false
1 nethttp 10: own_fault "no ports" sent:false
1 fasthttp 10: own_fault "no ports" sent:false
`
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func TestDescriptorsThatRanOutAreOurFault(t *testing.T) {
	t.Parallel()
	out := child(t, "descriptors", nil)
	if lines := strings.Count(out, ": own_fault \"no descriptors\" sent:false\n"); lines != 2 {
		t.Errorf("got\n%s", out)
	}
}
