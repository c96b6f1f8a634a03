package deployer

import "time"

// Scope is what a bearer token may do. Each scope includes the ones before it.
type Scope string

const (
	ScopeRead   Scope = "read"   // look
	ScopeDeploy Scope = "deploy" // deploy, redeploy, roll back, cancel, lock, unlock
	ScopeAdmin  Scope = "admin"  // deploy in spite of a lock
)

// Includes reports whether a token of scope s may do what needs scope t. A
// scope that does not exist includes nothing and is included in nothing.
func (s Scope) Includes(t Scope) bool {
	return s.rank() >= t.rank() && t.rank() > 0
}

func (s Scope) rank() int {
	switch s {
	case ScopeRead:
		return 1
	case ScopeDeploy:
		return 2
	case ScopeAdmin:
		return 3
	}
	return 0
}

// DeployRequest is the body of POST /api/v1/projects/{project}/deploy. All
// fields are optional: without any, the project's first branch is deployed.
type DeployRequest struct {
	Ref      string `json:"ref,omitempty"`
	Commit   string `json:"commit,omitempty"`
	Override bool   `json:"override,omitempty"`
}

// RepeatRequest is the body of …/redeploy and …/rollback. Without a
// deployment, redeploy repeats the newest, and rollback goes back to the last healthy one before the newest healthy one.
type RepeatRequest struct {
	Deployment int64 `json:"deployment,omitempty"`
	Override   bool  `json:"override,omitempty"`
}

// LockRequest is the body of PUT /api/v1/projects/{project}/lock.
type LockRequest struct {
	Reason string `json:"reason,omitempty"`
	For    string `json:"for,omitempty"` // Go duration; empty: until unlocked
}

// Placed is the answer to everything that asks for a deployment.
type Placed struct {
	Deployment Deployment `json:"deployment"`
	Verdict    Verdict    `json:"verdict"`
	Reason     string     `json:"reason,omitempty"`
}

// ProjectState is one project as GET /api/v1/projects shows it.
type ProjectState struct {
	Name       string      `json:"name"`
	Repository string      `json:"repository,omitempty"` // without credentials
	Hook       string      `json:"hook"`
	Provider   Provider    `json:"provider"`
	Running    *Deployment `json:"running,omitempty"`
	Pending    *Deployment `json:"pending,omitempty"`
	Last       *Deployment `json:"last,omitempty"`    // newest that is over
	Healthy    *Deployment `json:"healthy,omitempty"` // newest that succeeded
	Lock       *Lock       `json:"lock,omitempty"`
}

// Overview is GET /api/v1/status.
type Overview struct {
	Version      string       `json:"version"`
	Time         time.Time    `json:"time"`
	Queued       int          `json:"queued"`
	Running      int          `json:"running"`
	OldestQueued *time.Time   `json:"oldest_queued,omitempty"`
	Deployments  []Deployment `json:"deployments"` // running and queued ones, then the newest ten that are over
	Locks        []Lock       `json:"locks"`
}

// Problem is the body of every answer that is not a success.
type Problem struct {
	Error struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Request string `json:"request,omitempty"` // id to find in the log
	} `json:"error"`
}
