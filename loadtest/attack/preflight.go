package attack

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// Refusal says why a run would say nothing about its target, and what to do.
// It is about this machine: such a run is [loadtest.Invalid], not failed.
type Refusal struct {
	Rule string // G6 or G8
	Text string
}

func (r *Refusal) Error() string { return r.Text }

const (
	// A connection that is being replaced may be there twice for a moment.
	connectionSpare  = 1.5
	spareDescriptors = 256
	portSpare        = 1.5
	portsFor         = time.Minute // a port is taken for so long after its connection has ended
)

// Preflight looks whether there are descriptors and ports for a scenario. The
// error is a [*Refusal] if there are not.
func Preflight(s *loadtest.Scenario) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read limit of descriptors: %w", err)
	}
	conns := min(s.Client.MaxConns, s.Client.MaxInflight)
	if need := uint64(connectionSpare*float64(conns)) + spareDescriptors; limit.Cur < need {
		return &Refusal{"G6", fmt.Sprintf("%d connections need %d descriptors, the limit is %d; raise it with ulimit -n %d, or lower max_conns",
			conns, need, limit.Cur, need)}
	}
	expected, err := connections(s)
	if err != nil {
		return err
	}
	free, err := freePorts(s.Target.BaseURL)
	if err != nil {
		return err
	}
	if need := int(portSpare * float64(expected)); free < need {
		return &Refusal{"G6", fmt.Sprintf("up to %d new connections within a minute need %d ports, and %d are free towards the target; "+
			"lower the rate, let connections be used again, or widen net.ipv4.ip_local_port_range", expected, need, free)}
	}
	return nil
}

// connections is how many are opened within a minute at most.
func connections(s *loadtest.Scenario) (uint64, error) {
	reused := uint64(min(s.Client.MaxConns, s.Client.MaxInflight))
	if !s.Client.FreshConns {
		return reused, nil
	}
	const step = 10 * time.Second
	planned := func(at time.Duration) (n uint64, err error) {
		for i := range s.Traffic {
			for j := range s.Phases {
				schedule, err := pace.In(s, i, j)
				if err != nil {
					return 0, err
				}
				n += schedule.Planned(at - s.Begins(j))
			}
		}
		return n, nil
	}
	most := uint64(0)
	var last [portsFor / step]uint64
	for i, at := 0, step; ; i, at = i+1, at+step {
		n, err := planned(min(at, s.Length()))
		if err != nil {
			return 0, err
		}
		most = max(most, n-last[i%len(last)])
		last[i%len(last)] = n
		if at >= s.Length() {
			return most, nil
		}
	}
}

// freePorts returns how many connections to the target could be opened. Sockets
// are bound to no address, so only those count that go where it goes.
func freePorts(base string) (int, error) {
	raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, fmt.Errorf("read range of ports: %w", err)
	}
	var from, to int
	if _, err := fmt.Sscan(string(raw), &from, &to); err != nil {
		return 0, fmt.Errorf("read range of ports: %w", err)
	}
	port, err := portOf(base)
	if err != nil {
		return 0, err
	}
	used := 0
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue // there may be no IPv6
		}
		used += towards(f, port, from, to)
		_ = f.Close()
	}
	return to - from + 1 - used, nil
}

func portOf(base string) (int, error) {
	u, err := url.Parse(base)
	if err != nil {
		return 0, fmt.Errorf("base_url: %w", err)
	}
	if u.Port() == "" {
		return net.LookupPort("tcp", u.Scheme)
	}
	return strconv.Atoi(u.Port())
}

// towards counts sockets of a table of the kernel whose own port is in a range
// and whose peer's is port. That is one too many for other hosts' same port.
//
//	sl  local_address rem_address   st …
//	 0: 0100007F:1F90 0100007F:C350 06 …
func towards(table io.Reader, port, from, to int) int {
	n := 0
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		local, remote := hexPort(fields[1]), hexPort(fields[2])
		if remote == port && local >= from && local <= to {
			n++
		}
	}
	return n
}

// hexPort returns the port of an address as the kernel writes it, -1 if it is none.
func hexPort(address string) int {
	_, digits, _ := strings.Cut(address, ":")
	port, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return -1
	}
	return int(port)
}
