package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Why the context of a request ends; see [context.Cause].
var (
	ErrHarakiri = errors.New("the request passed its deadline")
	ErrHangUp   = errors.New("the client hung up")
)

// HarakiriError is the cause of a context that ended because its request
// passed its deadline. It is [ErrHarakiri].
type HarakiriError struct {
	Route    string        // empty if it is not known
	Deadline time.Duration // that it passed; of a stream, how long it may be silent
	Incident string        // the id that the client was told
}

func (e *HarakiriError) Error() string {
	if e.Route == "" {
		return fmt.Sprintf("the request passed its deadline of %s", e.Deadline)
	}
	return fmt.Sprintf("the request of %s passed its deadline of %s", e.Route, e.Deadline)
}

// Is makes the error an [ErrHarakiri].
func (e *HarakiriError) Is(target error) bool { return target == ErrHarakiri }

// connContext finds the connection without a context of its own for the value.
type connContext struct {
	context.Context //nolint:containedctx // it is one
	conn            *Conn
}

type connKey struct{}

func (c *connContext) Value(key any) any {
	if key == (connKey{}) {
		return c.conn
	}
	return c.Context.Value(key)
}

// FromContext returns the connection that a request came in on; nil if ctx is
// not of a guarded request.
func FromContext(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}

// Of returns the guarded connection that nc is, or that is inside of it; nil
// if there is none.
func Of(nc net.Conn) *Conn {
	for nc != nil {
		switch c := nc.(type) {
		case *Conn:
			return c
		case *tlsConn:
			return c.Conn
		case interface{ NetConn() net.Conn }:
			nc = c.NetConn()
		default:
			return nil
		}
	}
	return nil
}
