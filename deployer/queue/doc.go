// Package queue keeps the store true: it ends deployments whose owner is gone
// and removes what nobody wants any more.
//
// It owns the judgement ([Judge], pure), the [Reaper] and the [Retention] that
// act, and the [Keeper] that makes sure that only one process acts at a time.
// It refuses to own what they act through: how a process is looked up, how
// leftovers are found and killed, and how logs are deleted are functions given
// by whoever assembles the service.
//
// Goroutines: Run of each type blocks and returns when its context ends.
// [Keeper.Run] starts one goroutine per singleton while it holds the lease, and
// waits for all of them before it lets the lease go. [Reaper.Run] starts one
// for each deployment that it ends, and waits for them within a pass.
package queue
