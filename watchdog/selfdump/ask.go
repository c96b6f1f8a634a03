package selfdump

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

const (
	// greetWithin is how long a process may take to say a word, and answerWithin
	// what it may take in all: the slowest machine prints 5,000 goroutines in that.
	greetWithin  = 5 * time.Second
	answerWithin = 20 * time.Second
)

// Errors of [Ask]; a process that does not exist is [fs.ErrNotExist]. For more, see
// [ComputesError] and [SilentError].
var (
	ErrForeign   = errors.New("the process takes no questions")
	ErrElsewhere = errors.New("the process is in another network namespace")
	ErrForbidden = errors.New("the process answers only root and its own user")
	ErrEnded     = errors.New("the process has ended, or ends, without an answer")
	ErrProtocol  = errors.New("the process is of another version")
)

// ComputesError says that a process did not take its stacks, because that could
// have been its end.
type ComputesError struct {
	Name     string
	Threads  []int     // that compute without a pause
	Requests []Request // those that have been under way for longest
}

func (e *ComputesError) Error() string {
	return fmt.Sprintf("%s did not take its stacks: threads %v compute without a pause", e.Name, e.Threads)
}

// SilentError says that a process did not answer in time.
type SilentError struct {
	Name    string // "" if it did not say a word
	Stopped bool   // by a signal or a debugger
}

func (e *SilentError) Error() string {
	switch {
	case e.Stopped:
		return "the process is stopped"
	case e.Name != "":
		return e.Name + " began to take its stacks and has not come back"
	}
	return "the process does not answer"
}

// Answer is what a process says about itself.
type Answer struct {
	Name    string        // what it is
	Dump    []byte        // as Go prints it
	Dropped int           // goroutines that are not in it
	Took    time.Duration // the process stood still for at most that
}

// Ask has a process take its goroutine dump. It takes 20 s at most.
func Ask(ctx context.Context, pid int) (*Answer, error) {
	return ask(ctx, pid, limits{greetWithin, answerWithin})
}

// limits are how long a process may take.
type limits struct{ greet, answer time.Duration }

func ask(ctx context.Context, pid int, l limits) (*Answer, error) {
	limited, cancel := context.WithTimeout(ctx, l.answer)
	defer cancel()
	conn, err := dial(limited, pid)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if halted(pid) {
		return nil, &SilentError{Stopped: true}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	answer, err := converse(ctx, conn, l)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var silent *SilentError
	if errors.As(err, &silent) {
		silent.Stopped = halted(pid)
	}
	return answer, err
}

func halted(pid int) bool {
	now, err := process.Stat(pid)
	return err == nil && now.Stopped()
}

// dial connects to the process, and to no other.
func dial(ctx context.Context, pid int) (*net.UnixConn, error) {
	found, err := process.Stat(pid)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	name := address(innermost(pid), found.Started).Name
	c, err := d.DialContext(ctx, "unix", name)
	switch {
	case errors.Is(err, unix.ECONNREFUSED) && elsewhere(pid):
		return nil, ErrElsewhere
	case errors.Is(err, unix.ECONNREFUSED):
		return nil, ErrForeign
	case errors.Is(err, unix.EAGAIN), errors.Is(err, context.DeadlineExceeded): // others wait already
		return nil, &SilentError{Stopped: found.Stopped()}
	case err != nil:
		return nil, fmt.Errorf("ask process %d: %w", pid, err)
	}
	conn := c.(*net.UnixConn)
	who, err := peer(conn)
	if err == nil && int(who.Pid) != pid {
		err = ErrForeign // somebody else has taken its name
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// converse reads the answer.
func converse(ctx context.Context, conn *net.UnixConn, l limits) (*Answer, error) {
	in := bufio.NewReaderSize(conn, mostLine)
	begun := time.Now()
	var hello greeting
	if err := hear(ctx, conn, in, begun.Add(l.greet), &hello); err != nil {
		return nil, silence(err, "")
	}
	if hello.Protocol != protocol {
		return nil, ErrProtocol
	}
	var r reply
	if err := hear(ctx, conn, in, begun.Add(l.answer), &r); err != nil {
		return nil, silence(err, hello.Name)
	}
	switch {
	case r.Stranger:
		return nil, ErrForbidden
	case r.Problem != "":
		return nil, fmt.Errorf("%s could not look at its threads: %s", hello.Name, r.Problem)
	case len(r.Computing) > 0:
		return nil, &ComputesError{Name: hello.Name, Threads: r.Computing, Requests: r.Requests}
	case r.Bytes < 0 || r.Bytes > 2*mostDump:
		return nil, fmt.Errorf("%s offers %d bytes", hello.Name, r.Bytes)
	}
	a := &Answer{Name: hello.Name, Dump: make([]byte, r.Bytes), Dropped: r.Dropped, Took: r.Took}
	if _, err := io.ReadFull(in, a.Dump); err != nil {
		return nil, silence(err, hello.Name)
	}
	return a, nil
}

// hear reads one line of JSON, until a deadline or the end of ctx.
func hear(ctx context.Context, conn *net.UnixConn, in *bufio.Reader, until time.Time, into any) error {
	if err := conn.SetReadDeadline(until); err != nil {
		return err
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set
		return ctx.Err()
	}
	text, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// silence tells a process that takes too long from one that has ended.
func silence(err error, name string) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &SilentError{Name: name}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, unix.ECONNRESET) {
		return ErrEnded
	}
	return fmt.Errorf("hear the process: %w", err)
}
