package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const connections = 64

// throughput compares the lab with the same application in as many processes on
// the same kind of socket without a watchdog, in turns.
func throughput(ctx context.Context, b *bench, r *report) (err error) {
	const least = 0.95
	var rates, costs [2][]float64
	var servers [2]*server
	for i, args := range [][]string{nil, {"--bare"}} {
		s, err := b.start(ctx, fmt.Sprintf("%s/%d", r.Cell, i), options{args: args})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		servers[i] = s
	}
	rounds := 5
	length := b.lasting(4*time.Second, time.Second)
	for i := range 2 * rounds {
		which := (i ^ i>>1) & 1 // a b b a a b b a: neither is always the first
		s := servers[which]
		before := s.cpu()
		n, took, err := hammer(ctx, s.addr, length)
		if err != nil {
			return err
		}
		rates[which] = append(rates[which], float64(n)/took.Seconds())
		costs[which] = append(costs[which], float64(s.cpu()-before)/float64(n)/float64(time.Microsecond))
	}
	ratio := median(rates[0]) / median(rates[1])
	r.figure("watched /s", int(median(rates[0])))
	r.figure("bare /s", int(median(rates[1])))
	r.figure("ratio", fmt.Sprintf("%.3f", ratio))
	r.figure("watched CPU/request", fmt.Sprintf("%.2f µs", median(costs[0])))
	r.figure("bare CPU/request", fmt.Sprintf("%.2f µs", median(costs[1])))
	r.bar("throughput", ratio >= least, "%.3f × the same without a watchdog, want ≥ %.2f", ratio, least)
	return nil
}

// hammer sends health checks over kept connections, each as soon as the last
// one was answered, and returns how many there were in which time.
func hammer(ctx context.Context, addr string, length time.Duration) (int64, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var total atomic.Int64
	errs := make([]error, connections)
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			n, err := hammerOne(ctx, addr)
			total.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return total.Load(), time.Since(begin), errors.Join(errs...)
}

// hammerOne uses one connection until ctx ends. It reads answers with as little
// work as possible, because the client shares the machine with the server.
func hammerOne(ctx context.Context, addr string) (n int64, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	request := []byte("GET /health HTTP/1.1\r\nHost: lab\r\n\r\n")
	buf := make([]byte, 4096)
	for ; ctx.Err() == nil; n++ {
		if _, err := conn.Write(request); err != nil {
			return n, err
		}
		for size, have := 0, 0; size == 0 || have < size; {
			got, err := conn.Read(buf[have:])
			if err != nil {
				return n, err
			}
			have += got
			if size, err = answerSize(buf[:have]); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

var errAnswer = errors.New("not a 200 with a length")

// answerSize returns how long the answer at the beginning of b is, 0 if its
// header is not complete.
func answerSize(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, nil
	}
	const field = "\r\nContent-Length: "
	at := bytes.Index(b[:end], []byte(field))
	if at < 0 || !bytes.HasPrefix(b, []byte("HTTP/1.1 200 ")) {
		return 0, errAnswer
	}
	value := b[at+len(field) : end]
	if i := bytes.IndexByte(value, '\r'); i >= 0 {
		value = value[:i]
	}
	length, err := strconv.Atoi(string(value))
	if err != nil {
		return 0, errAnswer
	}
	return end + len("\r\n\r\n") + length, nil
}
