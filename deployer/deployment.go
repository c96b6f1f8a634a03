package deployer

import "time"

// Trigger is what asked for a deployment.
type Trigger string

const (
	TriggerPush     Trigger = "push"
	TriggerManual   Trigger = "manual"   // a person asked for a ref or commit
	TriggerRedeploy Trigger = "redeploy" // a person asked for the same again
	TriggerRollback Trigger = "rollback" // a person asked for the last healthy one, or a given one
	TriggerRetry    Trigger = "retry"    // an interrupted deployment runs again, once
	TriggerSweep    Trigger = "sweep"    // a push whose webhook never came
)

// Order asks for a deployment of one project. The store's [Lane] decides what becomes of it.
type Order struct {
	Project  string
	Trigger  Trigger
	Ref      string
	Commit   string // "" means: whatever Ref is when the runner fetches it
	Before   string // commit that Ref was at before the push, if known
	Message  string // of the commit, shortened to 200 bytes
	By       string // person, token name or pusher
	Attempt  int    // 1 if 0
	Origin   int64  // deployment that is retried, redeployed or rolled back to
	Override bool   // run although the project is locked (needs scope admin)
}

// Deployment is one attempt to bring a project to a commit.
type Deployment struct {
	ID           int64      `json:"id"`
	Project      string     `json:"project"`
	Status       Status     `json:"status"`
	Outcome      Outcome    `json:"outcome,omitempty"`
	Cause        Cause      `json:"cause,omitempty"`  // machine-readable reason of an end that is not a success
	Reason       string     `json:"reason,omitempty"` // the same as one sentence
	Trigger      Trigger    `json:"trigger"`
	Ref          string     `json:"ref"`
	Commit       string     `json:"commit,omitempty"`
	Before       string     `json:"-"`
	Message      string     `json:"message,omitempty"`
	By           string     `json:"by,omitempty"`
	Attempt      int        `json:"attempt"`
	Origin       int64      `json:"origin,omitempty"`
	SupersededBy int64      `json:"superseded_by,omitempty"`
	Coalesced    int        `json:"coalesced,omitempty"` // pushes beyond the first that it stands for
	Override     bool       `json:"override,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	FinishedAt   *time.Time `json:"finished_at,omitempty"`
	Step         Step       `json:"step,omitempty"`          // the one that runs, or ran last
	StalledSince *time.Time `json:"stalled_since,omitempty"` // the running step has been silent for half its limit
	CancelBy     string     `json:"cancel_by,omitempty"`     // somebody asked for its end
	Owner        *Owner     `json:"owner,omitempty"`
	HeartbeatAt  *time.Time `json:"heartbeat_at,omitempty"`
	Marker       string     `json:"-"`                // value of SEADOG_STEP in every process it started
	Images       []Image    `json:"images,omitempty"` // what ran when it passed the health gate
	Steps        []StepRun  `json:"steps,omitempty"`  // only in [Store.Deployment]
}

// Image is what one service of a healthy deployment ran.
type Image struct {
	Service string `json:"service"`
	ID      string `json:"id"`  // sha256:… of the image itself
	Tag     string `json:"tag"` // the tag that keeps it from being pruned
}

// Cause is why a deployment ended without success. Metrics and clients branch on it.
type Cause string

const (
	CauseStepFailed     Cause = "step_failed"     // a command said no
	CauseDeadline       Cause = "deadline"        // a step took longer than its deadline
	CauseSilence        Cause = "silence"         // a step printed nothing for its silence limit
	CauseUnhealthy      Cause = "unhealthy"       // a service did not pass the health gate
	CauseEngineWedged   Cause = "engine_wedged"   // the Docker engine does not answer
	CauseInvalidProject Cause = "invalid_project" // the repository or its Compose file cannot be deployed as configured
	CauseCanceled       Cause = "canceled"
	CauseOwnerDied      Cause = "owner_died" // the runner is gone
	CauseLeaseExpired   Cause = "lease_expired"
	CauseShutdown       Cause = "shutdown" // the service was stopped
	CauseDiskFull       Cause = "disk_full"
)

// Step is one stage of a deployment.
type Step string

const (
	StepFetch    Step = "fetch"
	StepConfig   Step = "config"
	StepPull     Step = "pull"
	StepBuild    Step = "build"
	StepUp       Step = "up"
	StepHealth   Step = "health"
	StepFinish   Step = "finish"
	StepRollback Step = "rollback"
)

// Steps lists the steps in the order in which they run; rollback only runs after a failure.
func Steps() []Step {
	return []Step{StepFetch, StepConfig, StepPull, StepBuild, StepUp, StepHealth, StepFinish, StepRollback}
}

// StepRun is one step of one deployment.
type StepRun struct {
	Step       Step       `json:"step"`
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Error      string     `json:"error,omitempty"`
}

// Result is how a deployment ended.
type Result struct {
	Status  Status
	Outcome Outcome
	Cause   Cause
	Reason  string
	Images  []Image
}

// Progress is what a runner reports while a deployment runs. Nil and zero
// fields leave what is stored untouched.
type Progress struct {
	Commit  string   // the commit that was found behind the ref
	Message string   // of that commit
	Marker  string   // set before the first process is started
	Step    *StepRun // started, or finished if FinishedAt is set
	Stalled *bool    // the running step is silent, or is heard again
}

// DeploymentFilter selects deployments, newest first. Zero fields select everything.
type DeploymentFilter struct {
	Project  string
	Statuses []Status
	Before   int64 // only ids below; for paging
	Limit    int   // 50 if 0, at most 500
}
