package deployer

import "time"

// Verdict is what was decided about one push of a delivery for one project.
type Verdict string

const (
	VerdictQueued    Verdict = "queued"    // a deployment waits for a runner
	VerdictCoalesced Verdict = "coalesced" // the pending deployment now stands for this push too
	VerdictDuplicate Verdict = "duplicate" // this delivery was seen before, or its commit is running
	VerdictDeferred  Verdict = "deferred"  // queued behind a lock
	VerdictIgnored   Verdict = "ignored"   // see Reason
)

// Verdicts lists every verdict.
func Verdicts() []Verdict {
	return []Verdict{VerdictQueued, VerdictCoalesced, VerdictDuplicate, VerdictDeferred, VerdictIgnored}
}

// Deploys reports whether the push will run because of this very delivery.
func (v Verdict) Deploys() bool {
	return v == VerdictQueued || v == VerdictCoalesced || v == VerdictDeferred
}

// Decision is the answer to "why did, or didn't, this push deploy?" for one
// project. Every delivery has at least one, and keeps it.
type Decision struct {
	Project    string  `json:"project,omitempty"` // empty for deliveries that concern no project (a ping)
	Ref        string  `json:"ref,omitempty"`
	Commit     string  `json:"commit,omitempty"`
	Verdict    Verdict `json:"verdict"`
	Reason     string  `json:"reason,omitempty"`
	Deployment int64   `json:"deployment,omitempty"` // the one that was queued, coalesced into, or duplicated
}

// Delivery is one webhook that was verified and recorded.
type Delivery struct {
	ID         int64      `json:"id"`
	Hook       string     `json:"hook"`
	Provider   Provider   `json:"provider"`
	ExternalID string     `json:"external_id,omitempty"` // the provider's delivery id
	Event      string     `json:"event"`
	ReceivedAt time.Time  `json:"received_at"`
	Bytes      int        `json:"bytes"`
	Decisions  []Decision `json:"decisions"`
}

// Intake is a verified delivery on its way into the store.
type Intake struct {
	Hook       string
	Provider   Provider
	ExternalID string
	Event      string
	ReceivedAt time.Time
	Bytes      int
	// Wanted pushes become deployments; Ignored ones are recorded with their
	// reason. Together they are never empty.
	Wanted  []Order
	Ignored []Decision
}

// DeliveryFilter selects deliveries, newest first. Zero fields select everything.
type DeliveryFilter struct {
	Project string
	Verdict Verdict
	Before  int64 // only ids below; for paging
	Limit   int   // 50 if 0, at most 500
}
