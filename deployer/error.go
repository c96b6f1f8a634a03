package deployer

import (
	"errors"
	"fmt"
)

// Code is the machine-readable part of an [Error]. It is what API clients,
// exit codes and metrics branch on; the message is for people.
type Code string

const (
	CodeInvalid      Code = "invalid"      // the request or the configuration is wrong
	CodeUnauthorized Code = "unauthorized" // no or wrong credentials
	CodeForbidden    Code = "forbidden"    // the credentials do not reach that far
	CodeNotFound     Code = "not_found"
	CodeConflict     Code = "conflict"    // not possible in the present state
	CodeTooLarge     Code = "too_large"   // the body exceeds its limit
	CodeUnavailable  Code = "unavailable" // nothing was persisted; try again
	CodeTimeout      Code = "timeout"
	CodeInternal     Code = "internal"
)

// Error is what crosses the boundary of an area. Clients see Code, Message and
// Hint; logs see all of it.
type Error struct {
	Code    Code
	Message string // public; a lower-case sentence without a full stop
	Hint    string // public; what to do about it, may be empty
	Err     error  // private cause, may be nil
}

// Errorf returns an [Error] with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns a copy of e that says what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Because returns a copy of e with a private cause.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

func (e *Error) Error() string {
	s := e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first [Error] in err's chain, CodeInternal if
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

var (
	// ErrIllegalMove is returned for a move that the state machine does not have.
	ErrIllegalMove = errors.New("illegal move")
	// ErrLeaseLost is returned to a runner that no longer owns its deployment.
	// It must stop at once and write nothing more.
	ErrLeaseLost = errors.New("lease lost")
	// ErrNothingQueued is returned by a claim that found nothing to run.
	ErrNothingQueued = errors.New("nothing queued")
)
