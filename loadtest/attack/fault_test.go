package attack_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

// shortOfDescriptors attacks address with more connections than there are
// descriptors for, and prints what became of it.
func shortOfDescriptors(transport, address string) int {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}); err != nil {
		fmt.Println(err)
		return 1
	}
	s := scenario(address, 500, time.Second)
	s.Client.Transport = loadtest.Transport(transport)
	s.Client.MaxInflight, s.Client.MaxConns, s.Client.Timeout = 300, 300, 2*time.Second
	preflight := attack.Preflight(s)
	var got outcomes
	a, err := attack.New(attack.Config{Scenario: s, Sink: &got})
	if err == nil {
		err = a.Run(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	g := a.Generator()
	fmt.Printf("broken %d, own faults: %v, G6: %v, ok: %v, %d in all; %v\n", got[loadtest.Broken], got[loadtest.OwnFault] > 0,
		g.Rules[5].OK, g.OK, got[0]+got[1]+got[2]+got[3]+got[4]+got[5], preflight)
	return 0
}

// TestDescriptorsThatRunOutAreNotTheTargetsFault: the run is invalid, not failed.
func TestDescriptorsThatRunOutAreNotTheTargetsFault(t *testing.T) {
	t.Parallel()
	for _, transport := range transports() {
		address := raw(t, hang)
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), childVariable+"=descriptors "+string(transport)+" "+address)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		want := "broken 0, own faults: true, G6: false, ok: false, 500 in all; 300 connections need 706 descriptors, the limit is 64; " +
			"raise it with ulimit -n 706, or lower max_conns"
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s: got %s\nwant %s", transport, got, want)
		}
	}
}

// TestTheTableOfDescriptorsIsMadeLargeBefore: when it grows, everything waits.
func TestTheTableOfDescriptorsIsMadeLargeBefore(t *testing.T) {
	t.Parallel()
	const conns = 5000
	s := scenario(serve(t, func(http.ResponseWriter, *http.Request) {}).address, 10, 100*time.Millisecond)
	s.Client.MaxInflight, s.Client.MaxConns = conns, conns
	send(t, s)
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), "FDSize:")
	var size int
	if _, err := fmt.Sscan(after, &size); err != nil || size < conns {
		t.Errorf("the table has room for %d, %v", size, err)
	}
}
