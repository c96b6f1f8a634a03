package selfdump

import (
	"context"
	"net"
	"time"
)

// AskWithin is Ask for who has less time.
func AskWithin(ctx context.Context, pid int, greet, answer time.Duration) (*Answer, error) {
	return ask(ctx, pid, limits{greet, answer})
}

// Socket opens the socket of this process for who behaves badly on it.
func Socket() (*net.UnixListener, error) { return listen() }
