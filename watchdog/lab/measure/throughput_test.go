package main

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestACrowdIsSharedByTheWorkers(t *testing.T) {
	t.Parallel()
	var accepted, ended atomic.Int64
	var workers sync.Map // of connections
	c := fake(t, func(conn net.Conn, _ string, nth int) bool {
		if nth == 1 {
			pid := 1
			if accepted.Add(1)%4 == 0 { // one of two workers gets most
				pid = 2
			}
			workers.Store(conn, pid)
		}
		pid, _ := workers.Load(conn)
		header := fmt.Sprintf("X-Pid: %d\r\n", pid)
		if nth == 20 { // and goes at some time
			ended.Add(1)
			header += "Connection: close\r\n"
		}
		_, err := fmt.Fprintf(conn, "HTTP/1.1 200 x\r\n%sContent-Length: 2\r\n\r\nok", header)
		return err == nil && nth < 20
	})
	crowd, err := gather(t.Context(), &server{addr: c.addr, wanted: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.leave()
	have := map[int]int{}
	for _, conn := range crowd.conns {
		pid, err := whose(conn)
		if err != nil {
			t.Fatal(err)
		}
		have[pid]++
	}
	if have[1] != connections/2 || have[2] != connections/2 {
		t.Errorf("the workers have %v", have)
	}
	for ended.Load() == 0 {
		if n, _, err := crowd.hammer(t.Context(), 20*time.Millisecond); err != nil || n == 0 {
			t.Fatalf("%d requests, %v", n, err)
		}
	}
	if n, _, err := crowd.hammer(t.Context(), 20*time.Millisecond); err != nil || n == 0 {
		t.Errorf("after a worker went: %d requests, %v", n, err)
	}
}
