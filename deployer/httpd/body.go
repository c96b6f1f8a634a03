package httpd

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

const (
	longestHeader = 8 << 10 // bytes

	defaultBody = 1 << 20  // bytes, of requests to nowhere
	prefetched  = 8 << 10  // bytes of a body of known length that the server reads before the handler runs
	smallBody   = 64 << 10 // bytes; up to here a body does not queue for the budget
	mappedBody  = 1 << 20  // bytes; from here on a body is not on the heap
	smallShare  = 8        // one part in smallShare of the budget is kept for small bodies

	chunked = -1 // content length of a body that does not say its length
)

// bodies reads request bodies within one budget of memory.
//
// Small bodies have a share of their own, so that a thousand big ones cannot
// keep out a push; big ones take turns, first come first served. A body of
// unknown length takes the whole limit of its route as soon as it stops being
// small: growing piece by piece, two could each hold what the other waits for.
type bodies struct {
	small  atomic.Int64 // bytes that are left for small bodies
	big    *semaphore.Weighted
	limits Limits
}

func newBodies(l Limits) *bodies {
	share := l.BodyBudget / smallShare
	b := &bodies{big: semaphore.NewWeighted(l.BodyBudget - share), limits: l}
	b.small.Store(share)
	return b
}

// timeout is how long a body of that length may take: a sixth of BodyTimeout
// to begin with, and the rest in proportion to its size, so that holding small
// shares of the budget for long is no way to use it up.
func (b *bodies) timeout(length int64) time.Duration {
	whole := b.limits.BodyTimeout
	if length < 0 || length >= b.limits.Body {
		return whole
	}
	return whole/6 + time.Duration(float64(whole-whole/6)*float64(length)/float64(b.limits.Body))
}

// body is the content of one request and its share of the budget.
type body struct {
	bytes  []byte
	mapped []byte // what bytes is part of, if it is not on the heap
	lease  lease
}

// free gives everything back. The bytes must not be used any more.
func (b *body) free() {
	if b.mapped != nil {
		_ = unix.Munmap(b.mapped) // it fails only for what is not mapped
	}
	b.lease.end()
	*b = body{}
}

// complete tells the server that the body was read to its end; see [unreadBody].
func (b body) complete(rctx *fasthttp.RequestCtx) (body, error) {
	if err := rctx.Request.CloseBodyStream(); err != nil {
		b.free()
		return body{}, broken(err)
	}
	return b, nil
}

// allocate takes n bytes out of the budget and gets memory for them. Big
// memory does not come from the heap: garbage of 26 MiB a piece would double
// what the budget allows before it is collected.
func (b *bodies) allocate(ctx context.Context, rctx *fasthttp.RequestCtx, n int64) (body, error) {
	lease, err := b.lease(ctx, rctx, n)
	if err != nil {
		return body{}, err
	}
	if n < mappedBody {
		return body{bytes: make([]byte, n), lease: lease}, nil
	}
	mapped, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		lease.end()
		return body{}, deployer.Errorf(deployer.CodeUnavailable, "there is no memory for the body").Because(err)
	}
	return body{bytes: mapped, mapped: mapped, lease: lease}, nil
}

// read reads the whole body of a request. The caller frees it.
func (b *bodies) read(ctx context.Context, rctx *fasthttp.RequestCtx, limit int64) (body, error) {
	length := int64(rctx.Request.Header.ContentLength())
	stream := rctx.RequestBodyStream()
	switch {
	case length > limit:
		return body{}, tooLarge(limit)
	case stream == nil || length == 0:
		return body{}, nil
	case length == chunked:
		return b.readChunked(ctx, rctx, limit)
	}
	whole, err := b.allocate(ctx, rctx, length)
	if err != nil {
		return body{}, err
	}
	n, _, err := fill(stream, whole.bytes)
	if err != nil || int64(n) < length {
		whole.free()
		return body{}, broken(err)
	}
	return whole.complete(rctx)
}

// readChunked reads a body that does not say how long it is.
func (b *bodies) readChunked(ctx context.Context, rctx *fasthttp.RequestCtx, limit int64) (body, error) {
	stream := rctx.RequestBodyStream()
	whole, err := b.allocate(ctx, rctx, min(smallBody, limit))
	if err != nil {
		return body{}, err
	}
	n, ended, err := fill(stream, whole.bytes)
	if err == nil && !ended && int64(n) < limit {
		begun := whole.bytes
		whole.free() // its bytes are on the heap and stay
		if whole, err = b.allocate(ctx, rctx, limit); err != nil {
			return body{}, err
		}
		copy(whole.bytes, begun)
		var more int
		more, ended, err = fill(stream, whole.bytes[n:])
		n += more
	}
	if err == nil && !ended { // full: it ends here, or it is too long
		var over int
		if over, _, err = fill(stream, make([]byte, 1)); over > 0 {
			whole.free()
			return body{}, tooLarge(limit)
		}
	}
	if err != nil {
		whole.free()
		return body{}, broken(err)
	}
	whole.bytes = whole.bytes[:n]
	return whole.complete(rctx)
}

// fill reads until buf is full or the stream has ended.
func fill(stream io.Reader, buf []byte) (n int, ended bool, err error) {
	for n < len(buf) {
		m, err := stream.Read(buf[n:])
		n += m
		if err == io.EOF { //nolint:errorlint // the end; a wrapped one is a broken connection
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// lease is bytes taken out of the budget.
type lease struct {
	of  *bodies
	n   int64
	big bool
}

func (l lease) end() {
	switch {
	case l.of == nil:
	case l.big:
		l.of.big.Release(l.n)
	default:
		l.of.small.Add(l.n)
	}
}

// lease takes n bytes. What was prefetched takes none: it has arrived, its
// memory is bounded by the number of connections, and so a push of the usual
// size never waits for those that have not arrived.
func (b *bodies) lease(ctx context.Context, rctx *fasthttp.RequestCtx, n int64) (lease, error) {
	if n <= prefetched {
		return lease{}, nil
	}
	if n <= smallBody {
		if b.small.Add(-n) >= 0 {
			return lease{of: b, n: n}, nil
		}
		b.small.Add(n)
	}
	if !b.big.TryAcquire(n) {
		ctx, cancel := context.WithTimeout(ctx, b.limits.BodyWait)
		defer cancel()
		if err := b.big.Acquire(ctx, n); err != nil {
			return lease{}, deployer.Errorf(deployer.CodeUnavailable, "too many big requests are being read").
				WithHint("try again in a few seconds").Because(err)
		}
		// The client could not know that it was not being read.
		if err := rctx.Conn().SetReadDeadline(time.Now().Add(b.timeout(n))); err != nil {
			b.big.Release(n)
			return lease{}, broken(err)
		}
	}
	return lease{of: b, n: n, big: true}, nil
}

func tooLarge(limit int64) error {
	return deployer.Errorf(deployer.CodeTooLarge, "the body is larger than %d bytes", limit)
}

// broken is the error of a body that did not arrive.
func broken(err error) error {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return fiber.NewError(fiber.StatusRequestTimeout, "the body did not arrive in time")
	}
	return deployer.Errorf(deployer.CodeInvalid, "the body ended early or is not framed as HTTP asks for").Because(err)
}

// unreadBody reports whether bytes of a body that was not closed may still be
// on their way.
func unreadBody(h *fasthttp.RequestHeader) bool {
	length := h.ContentLength()
	return length == chunked || length > prefetched
}
