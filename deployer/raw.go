package deployer

import "time"

// Proof is what checking a delivery's secret or signature found.
type Proof string

const (
	ProofGood Proof = "good"
	ProofBad  Proof = "bad"
	ProofNone Proof = "none" // the hook has no secret, so nothing was checked
)

// RawDelivery is a webhook as it came in, after its secret or signature was
// checked and before anything was decided. Header and Body are the request's
// own, and only valid while whoever got them has not returned.
type RawDelivery struct {
	ReceivedAt time.Time
	Hook       string
	Provider   Provider
	Method     string
	Path       string // without a secret segment and without a query
	Header     func(name string) string
	Body       []byte
	Proof      Proof
	Refused    Code   // why it was not taken further; "" if it was
	Event      string // the provider's name for it; "" if it was refused
	ExternalID string // the provider's delivery id, likewise
}
