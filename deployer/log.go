package deployer

import (
	"context"
	"log/slog"
	"slices"
)

// Keys of structured log lines. A key means the same in every process.
const (
	KeyProject    = "project"
	KeyHook       = "hook"
	KeyDelivery   = "delivery"
	KeyDeployment = "deployment"
	KeyStep       = "step"
	KeyStatus     = "status"
	KeyReason     = "reason"
	KeyRequest    = "request"
	KeyIncident   = "incident" // what the watchdog wrote down
	KeyRoute      = "route"
	KeyError      = "error"
	KeyDuration   = "duration"

	KeyRef       = "ref"
	KeyCommit    = "commit"
	KeyTrigger   = "trigger"
	KeyOutcome   = "outcome"
	KeyMethod    = "method"
	KeyClient    = "client"
	KeyPerson    = "person"  // name of the token
	KeyPage      = "page"    // of the web UI
	KeyQueries   = "queries" // of a request
	KeyLimit     = "limit"   // that was exceeded
	KeyStatement = "statement"
	KeyRepeats   = "repeats"
	KeyCall      = "call" // of the Docker engine
	KeyPID       = "pid"
	KeyCount     = "count" // of what the message names
	KeySingleton = "singleton"
)

type correlation struct{}

// Correlate returns a context whose log lines carry attrs too, after those that
// ctx has already: lines of code that does not know for what it works.
func Correlate(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, correlation{}, append(slices.Clip(Correlated(ctx)), attrs...))
}

// Correlated returns what [Correlate] has put into ctx.
func Correlated(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(correlation{}).([]slog.Attr)
	return attrs
}
