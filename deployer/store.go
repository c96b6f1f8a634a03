package deployer

import (
	"context"
	"time"
)

// Store keeps deliveries, deployments and locks. Every method may be called
// concurrently and from several processes on the same data; every method that
// writes is durable when it returns nil (it survives SIGKILL and power loss).
//
// Methods return an [Error]: CodeNotFound for an id or project that is not
// there, CodeConflict for a move that the present state does not allow,
// CodeUnavailable if nothing could be persisted (disk full, database down,
// deadline exceeded).
type Store interface {
	Intaker
	Queue
	Reader

	// Lock locks a project, replacing the lock it has. Unlock releases it;
	// CodeNotFound if there is none.
	Lock(ctx context.Context, l Lock) error
	Unlock(ctx context.Context, project string) error

	// Hold takes or renews the named lease ("keeper") for owner until now+ttl.
	// It returns false while another owner holds it.
	Hold(ctx context.Context, name string, owner Owner, ttl time.Duration) (bool, error)

	// Prune deletes what [Retention] no longer wants and returns the ids of
	// the deployments that are gone, so that their logs can follow.
	Prune(ctx context.Context, r Retention) ([]int64, error)

	// Ping returns nil if the store can be written to.
	Ping(ctx context.Context) error

	// Close releases everything. Calls under way are waited for.
	Close() error
}

// Intaker makes webhooks durable.
type Intaker interface {
	// Accept records a delivery, decides every order in it through the lanes of
	// their projects, and writes deliveries, decisions and deployments in one
	// transaction, which concurrent calls may share.
	//
	// An order of a delivery whose (Hook, ExternalID) was recorded before goes
	// through [Repeat] first. An empty ExternalID is never a repetition.
	Accept(ctx context.Context, in Intake) (Delivery, error)
}

// Queue hands deployments to runners and takes back what became of them.
type Queue interface {
	// Enqueue places an order that did not come from a webhook.
	Enqueue(ctx context.Context, o Order) (Deployment, Verdict, error)

	// Claim gives the queued deployment that has waited longest, of a project
	// among projects that neither runs anything nor is locked (unless the
	// deployment overrides the lock), to owner, and moves it to Running. It
	// returns ErrNothingQueued if there is none. No two callers get the same.
	Claim(ctx context.Context, owner Owner, projects []string) (Deployment, error)

	// Heartbeat renews owner's lease and returns the deployment as stored, so
	// that the runner sees a request for cancellation. ErrLeaseLost if the
	// deployment is no longer owner's.
	Heartbeat(ctx context.Context, id int64, owner Owner) (Deployment, error)

	// Report records progress. ErrLeaseLost as above.
	Report(ctx context.Context, id int64, owner Owner, p Progress) error

	// Finish moves a running deployment to its end. ErrLeaseLost as above,
	// ErrIllegalMove if r.Status is not an end of a running deployment.
	Finish(ctx context.Context, id int64, owner Owner, r Result) (Deployment, error)

	// Cancel asks for the end of a deployment. A queued one is canceled at
	// once; of a running one the request is noted for its runner. CodeConflict
	// if it is over already.
	Cancel(ctx context.Context, id int64, by string) (Deployment, error)

	// Abandoned returns the running deployments, oldest heartbeat first; the
	// reaper decides whose owner is gone.
	Abandoned(ctx context.Context) ([]Deployment, error)

	// Reap ends a running deployment whose owner is gone, and places its
	// retry in the same transaction if this was the first attempt, nobody asked for its
	// cancellation and nothing newer is pending. A deployment that is no
	// longer running, or has another owner or a later heartbeat than d, is left
	// alone and returned with ok false.
	Reap(ctx context.Context, d Deployment, r Result) (ended Deployment, ok bool, err error)
}

// Reader answers questions. Lists are newest first.
type Reader interface {
	Deployment(ctx context.Context, id int64) (Deployment, error)
	Deployments(ctx context.Context, f DeploymentFilter) ([]Deployment, error)
	Delivery(ctx context.Context, id int64) (Delivery, error)
	Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error)
	Locks(ctx context.Context) ([]Lock, error)

	// LastHealthy returns the newest deployment of project that succeeded and
	// has an id below before (0: any). CodeNotFound if there is none.
	LastHealthy(ctx context.Context, project string, before int64) (Deployment, error)

	// Latest returns, of every project that was ever deployed, the newest
	// deployment that is over and the newest that succeeded; they may be the same.
	Latest(ctx context.Context) ([]Deployment, error)

	// Tally counts, for metrics: deployments by status, deliveries by provider
	// and verdict, what waits and what runs, and since when.
	Tally(ctx context.Context) (Tally, error)
}

// Tally is a snapshot of counts since the store was created.
type Tally struct {
	Deployments  map[Status]int64
	Deliveries   map[DeliveryKind]int64
	Queued       int
	Running      int
	Stalled      int       // of Running, those whose step is silent
	OldestQueued time.Time // zero if nothing is queued
	// OldestRunning is when the deployment that has been running for longest was
	// started; zero if none runs.
	OldestRunning time.Time
}

// StoreCall is what the calls of a store are told apart by when they are measured.
type StoreCall string

const (
	StoreAccept StoreCall = "accept" // makes a delivery durable
	StoreRead   StoreCall = "read"
	StoreWrite  StoreCall = "write"
)

// StoreCalls lists every kind of call.
func StoreCalls() []StoreCall { return []StoreCall{StoreAccept, StoreRead, StoreWrite} }

// StoreObserver is told how long a call of a store took, and how it ended. It is
// called concurrently and must not block.
type StoreObserver func(call StoreCall, took time.Duration, err error)

// Observe tells o about a call that began then and returned *err. A nil o is
// told nothing.
//
//	defer s.observe.Observe(deployer.StoreWrite, time.Now(), &err)
func (o StoreObserver) Observe(call StoreCall, begun time.Time, err *error) {
	if o != nil {
		o(call, time.Since(begun), *err)
	}
}

// DeliveryKind is what deliveries are counted by.
type DeliveryKind struct {
	Provider Provider
	Verdict  Verdict
}

// Retention says what Prune keeps. Running and queued deployments, and the
// newest healthy one of each project, are always kept.
type Retention struct {
	Deliveries  time.Duration // older ones are deleted; 0 keeps all
	Deployments int           // per project; 0 keeps all
}
