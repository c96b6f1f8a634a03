package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/loadtest"
)

// Classes of failures. There is a bounded number of them, and no address, port
// or text of the target in any.
const (
	classRefused     = "connection refused"
	classReset       = "connection reset"
	classClosed      = "connection closed"
	classUnreachable = "unreachable"
	classDNS         = "no such host"
	classTLS         = "tls"
	classMalformed   = "malformed answer"
	classConnecting  = "timeout while connecting"
	classNoAnswer    = "timeout without an answer"
	classHalfAnswer  = "timeout within the answer"
	classAborted     = "aborted"
	classTooLong     = "answer too long"
	classWithout     = "answer without the text that was expected"
	classOther       = "other"
)

// errUnused says that the client below gave up a connection before it was used,
// and took another one.
var errUnused = errors.New("the connection was closed before the request was written")

// ownFaults are errors of this machine. They say nothing about the target, and
// are never booked on it.
var ownFaults = map[syscall.Errno]string{
	syscall.EMFILE:        "no descriptors",
	syscall.ENFILE:        "no descriptors on the machine",
	syscall.EADDRNOTAVAIL: "no ports",
	syscall.EADDRINUSE:    "port in use",
	syscall.ENOBUFS:       "no memory for sockets",
	syscall.ENOMEM:        "no memory for sockets",
}

// theirFaults are errors of the connection.
var theirFaults = map[syscall.Errno]string{
	syscall.ECONNREFUSED: classRefused,
	syscall.ECONNRESET:   classReset,
	syscall.EPIPE:        classReset,
	syscall.ECONNABORTED: classReset,
	syscall.EHOSTUNREACH: classUnreachable,
	syscall.ENETUNREACH:  classUnreachable,
	syscall.ENOENT:       classRefused, // a socket that is not there
}

// classify says what an error was, and whose.
func classify(err error, f *flight) (loadtest.Outcome, string) {
	switch context.Cause(f.ctx) {
	case errTimeout:
		return loadtest.TimedOut, stage(f)
	case errAborted:
		return loadtest.TimedOut, classAborted
	}
	if errors.Is(err, errAborted) {
		return loadtest.TimedOut, classAborted
	}
	if outcome, class, known := know(err); known {
		return outcome, class
	}
	if f.last != nil { // net/http has words of its own for what the connection said
		if fault := f.last.fault.Load(); fault != nil {
			if outcome, class, known := know(*fault); known {
				return outcome, class
			}
		}
	}
	if f.first.Load() != 0 {
		return loadtest.Broken, classMalformed
	}
	return loadtest.Broken, classOther
}

// stage says what a request was waiting for.
func stage(f *flight) string {
	switch {
	case f.first.Load() != 0:
		return classHalfAnswer
	case f.attempts == 0:
		return classConnecting
	}
	return classNoAnswer
}

// know classifies an error by itself.
func know(err error) (outcome loadtest.Outcome, class string, known bool) {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if class, own := ownFaults[errno]; own {
			return loadtest.OwnFault, class, true
		}
		if class, known := theirFaults[errno]; known {
			return loadtest.Broken, class, true
		}
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return loadtest.Broken, classDNS, true
	case isTLS(err):
		return loadtest.Broken, classTLS, true
	case errors.As(err, &timeout) && timeout.Timeout():
		return loadtest.TimedOut, classConnecting, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, fasthttp.ErrConnectionClosed), errors.Is(err, errUnused):
		return loadtest.Broken, classClosed, true
	}
	return 0, "", false
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var certificate *tls.CertificateVerificationError
	var host x509.HostnameError
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &certificate) || errors.As(err, &host)
}

// closed reports whether a class says that the target ended the connection.
func closed(class string) bool { return class == classClosed || class == classReset }

// statusClass names a status that was not expected.
func statusClass(status int) string {
	if status < 100 || status > 599 {
		return "status beyond 599"
	}
	return "status " + strconv.Itoa(status)
}
