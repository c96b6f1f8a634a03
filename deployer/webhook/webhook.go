// Package webhook turns what a forge or a registry sends into a
// [deployer.Event]: [Verify] decides whether the sender knows a secret of the
// hook, [Parse] reads what it says. One file holds one provider; providers.go
// names them all.
//
// The provider is pinned by the caller. Nothing in a request chooses it, and
// nothing in a request makes Verify look into the body: Verify works on the
// raw bytes, Parse must only be called after it returned nil.
//
// Parse reads the body in one pass and keeps only what a deployment needs, with
// every string and list bounded, so that a hostile body costs time in
// proportion to its length and next to no memory. What it returns never
// aliases the request.
//
// The package opens nothing, keeps nothing between calls, starts no goroutine,
// and refuses to decide what a push means for a project: that is
// [deployer.Selector].
package webhook

import (
	"errors"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Request is one delivery as it came in.
type Request struct {
	// Header returns the first value of the named header, "" if there is none.
	Header      func(name string) string
	Body        []byte
	ContentType string
	Token       string    // last segment of a secret path; only Docker Hub needs it
	Now         time.Time // when it came in; timestamps that are signed are held against it
}

// provider is what is particular to one kind of sender.
type provider struct {
	// verify returns nil, or why the request proves no knowledge of a secret.
	verify func(secrets []deployer.Secret, r Request) error
	parse  func(r Request) (deployer.Event, error)
}

// Verify returns nil if r was sent by somebody who knows one of secrets. It
// takes the same time whether a wrong signature is nearly right or not at all,
// and never looks at what the body means. Empty secrets verify nothing.
//
// The error is a [deployer.Error] with CodeUnauthorized and always the same
// message; only its private cause says more.
func Verify(p deployer.Provider, secrets []deployer.Secret, r Request) error {
	cause := errUnknownProvider
	if from, ok := providerOf(p); ok {
		cause = from.verify(secrets, r)
	}
	if cause == nil {
		return nil
	}
	return deployer.Errorf(deployer.CodeUnauthorized, "the delivery carries no valid proof of a secret of this hook").Because(cause)
}

// Parse reads a verified delivery of provider p. Genuine deliveries that deploy
// nothing are events of kind ping or other, not errors.
//
// The error is a [deployer.Error] with CodeInvalid that names the header or
// field at fault.
func Parse(p deployer.Provider, r Request) (deployer.Event, error) {
	from, ok := providerOf(p)
	if !ok {
		return deployer.Event{}, deployer.Errorf(deployer.CodeInvalid, "the provider %q is not known", p).
			WithHint("providers are %v", deployer.Providers())
	}
	return from.parse(r)
}

// What Verify found, for the log of the service only.
var (
	errUnknownProvider = errors.New("unknown provider")
	errNoSecret        = errors.New("the hook has no secret")
	errNoSignature     = errors.New("no usable signature header")
	errWrongSignature  = errors.New("the signature was made with another secret or for another body")
	errNoToken         = errors.New("no token")
	errWrongToken      = errors.New("wrong token")
	errNoTimestamp     = errors.New("no usable timestamp header")
	errStale           = errors.New("the signed timestamp is more than five minutes off")
)
