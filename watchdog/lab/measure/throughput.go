package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	connections = 64
	rounds      = 5
	pairs       = 40 // of turns, in a round
)

// throughput compares the lab with the same application in as many processes on
// the same kind of socket without a watchdog, in short turns: what else goes on
// on the machine hits both.
//
// How the kernel deals connections out to workers is chance, and makes more
// difference than a watchdog: a worker that has nearly all of them sleeps less
// often. So each worker gets as many as any other.
func throughput(ctx context.Context, b *bench, r *report) (err error) {
	const least = 0.95
	var servers [2]*server
	for i, args := range [][]string{nil, {"--bare"}} {
		s, err := b.start(ctx, fmt.Sprintf("%s/%d", r.Cell, i), options{args: args})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		servers[i] = s
	}
	length := b.lasting(100*time.Millisecond, 20*time.Millisecond)
	var ratios []float64
	var rates, costs [2][]float64
	for range rounds {
		c, err := compare(ctx, servers, length)
		if err != nil {
			return err
		}
		for i, y := range c.yields {
			rates[i] = append(rates[i], y.rate())
			costs[i] = append(costs[i], y.cost())
		}
		ratios = append(ratios, median(c.ratios))
	}
	ratio := median(ratios)
	r.figure("watched /s", int(median(rates[0])))
	r.figure("bare /s", int(median(rates[1])))
	r.figure("ratio", fmt.Sprintf("%.3f", ratio))
	r.figure("of rounds", fmt.Sprintf("%.3f to %.3f", slices.Min(ratios), slices.Max(ratios)))
	r.figure("watched CPU/request", fmt.Sprintf("%.2f µs", median(costs[0])))
	r.figure("bare CPU/request", fmt.Sprintf("%.2f µs", median(costs[1])))
	r.bar("throughput", ratio >= least, "%.3f × the same without a watchdog, want ≥ %.2f", ratio, least)
	return nil
}

// yield is what a server did.
type yield struct {
	requests  int64
	took, cpu time.Duration
}

func (y yield) rate() float64 { return float64(y.requests) / y.took.Seconds() }

// cost is the processor time of a request, in microseconds.
func (y yield) cost() float64 {
	return float64(y.cpu) / float64(y.requests) / float64(time.Microsecond)
}

func (y *yield) add(z yield) {
	y.requests, y.took, y.cpu = y.requests+z.requests, y.took+z.took, y.cpu+z.cpu
}

// comparison is one round.
type comparison struct {
	yields [2]yield
	ratios []float64 // of the rates, by pair
}

// compare has two servers work in turns, on connections that they keep.
func compare(ctx context.Context, servers [2]*server, length time.Duration) (c comparison, err error) {
	var crowds [2]*crowd
	for i, s := range servers {
		if crowds[i], err = gather(ctx, s); err != nil {
			return c, err
		}
		defer crowds[i].leave()
	}
	for i := range pairs {
		var pair [2]yield
		for j := range pair {
			which := (i + j) & 1 // neither is always the first
			before := servers[which].cpu()
			n, took, err := crowds[which].hammer(ctx, length)
			if err != nil {
				return c, err
			}
			pair[which] = yield{n, took, servers[which].cpu() - before}
			c.yields[which].add(pair[which])
		}
		c.ratios = append(c.ratios, pair[0].rate()/pair[1].rate())
	}
	return c, nil
}

// crowd is connections to one server, as many at each of its workers.
type crowd struct {
	addr  string
	conns []net.Conn
}

// gather opens connections, and closes those that went to a worker which has
// enough.
func gather(ctx context.Context, s *server) (*crowd, error) {
	c := &crowd{addr: s.addr}
	have := map[int]int{}
	for range 50 * connections {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
		if err != nil {
			return c, errors.Join(err, c.leave())
		}
		pid, err := whose(conn)
		if err != nil {
			return c, errors.Join(err, conn.Close(), c.leave())
		}
		if have[pid] == connections/s.wanted {
			_ = conn.Close() // nothing is under way on it
			continue
		}
		have[pid]++
		if c.conns = append(c.conns, conn); len(c.conns) == connections {
			return c, nil
		}
	}
	return c, errors.Join(fmt.Errorf("the workers do not share: of %d connections they have %v", 50*connections, have), c.leave())
}

// whose returns the worker at the other end.
func whose(conn net.Conn) (pid int, err error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if err := send(conn, "/health"); err != nil {
		return 0, err
	}
	a, _, err := receive(conn)
	return a.PID, err
}

// leave closes all connections.
func (c *crowd) leave() error {
	var errs []error
	for _, conn := range c.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// hammer sends health checks over all connections, each as soon as the last
// one was answered, and returns how many there were in which time.
func (c *crowd) hammer(ctx context.Context, length time.Duration) (int64, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var total atomic.Int64
	errs := make([]error, len(c.conns))
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			n, err := c.hammerOne(ctx, i)
			total.Add(n)
			errs[i] = err
		})
	}
	wg.Wait()
	return total.Load(), time.Since(begin), errors.Join(errs...)
}

// hammerOne uses one connection until ctx ends, and another one when a worker
// that goes ends it. It reads answers with as little work as possible, because
// the client shares the machine with the server.
func (c *crowd) hammerOne(ctx context.Context, i int) (n int64, err error) {
	if err := c.conns[i].SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	request, buf := []byte("GET /health HTTP/1.1\r\nHost: lab\r\n\r\n"), make([]byte, 4096)
	for ; ctx.Err() == nil; n++ {
		answer, err := ask(c.conns[i], request, buf)
		if err != nil {
			return n, err
		}
		if !bytes.Contains(answer, []byte("\r\nConnection: close\r\n")) {
			continue
		}
		_ = c.conns[i].Close() // its last answer is here
		d := net.Dialer{Timeout: patience}
		conn, err := d.DialContext(context.WithoutCancel(ctx), "tcp", c.addr)
		if err != nil {
			return n, err
		}
		c.conns[i] = conn
	}
	return n, nil
}

// ask sends one request and returns its answer, in buf.
func ask(conn net.Conn, request, buf []byte) ([]byte, error) {
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	for size, have := 0, 0; ; {
		got, err := conn.Read(buf[have:])
		if err != nil {
			return nil, err
		}
		have += got
		if size, err = answerSize(buf[:have]); err != nil {
			return nil, err
		}
		if size > 0 && have >= size {
			return buf[:have], nil
		}
	}
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
