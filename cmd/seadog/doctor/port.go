package doctor

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ports says who has the ports that the service wants.
func ports(ctx context.Context, c Config) []Finding {
	if len(c.Ports) == 0 {
		return nil
	}
	listening, err := listeners("/proc")
	if err != nil {
		return []Finding{{"ports", Warn, fmt.Sprintf("what listens here is not to be told: %v", err), ""}}
	}
	var findings []Finding
	for _, address := range c.Ports {
		host, port, err := net.SplitHostPort(address)
		if err != nil || port == "0" {
			continue
		}
		findings = append(findings, judgePort(ctx, address, host, port, listening))
	}
	return findings
}

func judgePort(ctx context.Context, address, host, port string, listening []listener) Finding {
	name := "port " + port
	for _, l := range listening {
		if strconv.Itoa(int(l.address.Port())) != port || !overlap(host, l.address.Addr()) {
			continue
		}
		pid, command := owner(ctx, l.inode)
		switch {
		case command == "seadog":
			return Finding{name, OK, fmt.Sprintf("seadog itself (pid %d) listens on %s", pid, l.address), ""}
		case pid == 0:
			return Finding{name, Fail, fmt.Sprintf("%s is taken by a process of another user", address), "see which: ss -ltnp 'sport = :" + port + "' as root; then stop it, or listen elsewhere"}
		default:
			return Finding{name, Fail, fmt.Sprintf("%s is taken by %s (pid %d)", address, command, pid), "stop it, or listen elsewhere"}
		}
	}
	return Finding{name, OK, address + " is free", ""}
}

// overlap reports whether host and an address that is listened on exclude each
// other. A host name could be any address.
func overlap(host string, bound netip.Addr) bool {
	wanted, err := netip.ParseAddr(host)
	if err != nil || wanted.IsUnspecified() || bound.IsUnspecified() {
		return true
	}
	return wanted.Unmap() == bound.Unmap()
}

type listener struct {
	address netip.AddrPort
	inode   string
}

// listeners reads the TCP sockets in state LISTEN.
func listeners(proc string) ([]listener, error) {
	var all []listener
	for _, name := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(proc, "net", name))
		if err != nil {
			if name == "tcp6" {
				break // a kernel without IPv6
			}
			return nil, err
		}
		all = append(all, parseListeners(text)...)
	}
	return all, nil
}

// parseListeners reads lines like
//
//	0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12345 …
//
// where 0A is LISTEN and 12345 the inode. Addresses are words in host order.
func parseListeners(text []byte) []listener {
	var found []listener
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		host, port, ok := strings.Cut(fields[1], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		addr, valid := parseHexAddr(host)
		if !ok || err != nil || !valid {
			continue
		}
		found = append(found, listener{netip.AddrPortFrom(addr, uint16(n)), fields[9]})
	}
	return found
}

func parseHexAddr(s string) (netip.Addr, bool) {
	raw := make([]byte, 0, 16)
	for len(s) >= 8 {
		word, err := strconv.ParseUint(s[:8], 16, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		raw = append(raw, byte(word), byte(word>>8), byte(word>>16), byte(word>>24))
		s = s[8:]
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr, ok && s == ""
}

// owner finds the process that has the socket open; pid 0 if it is none of those that this user may look at.
func owner(ctx context.Context, inode string) (pid int, command string) {
	if inode == "0" {
		return 0, ""
	}
	want := "socket:[" + inode + "]"
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return 0, ""
	}
	for _, p := range processes {
		n, err := strconv.Atoi(p.Name())
		if err != nil || ctx.Err() != nil {
			continue
		}
		dir := filepath.Join("/proc", p.Name())
		descriptors, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue
		}
		for _, d := range descriptors {
			if link, err := os.Readlink(filepath.Join(dir, "fd", d.Name())); err == nil && link == want {
				comm, _ := os.ReadFile(filepath.Join(dir, "comm")) // gone by now: no name
				return n, strings.TrimSpace(string(comm))
			}
		}
	}
	return 0, ""
}
