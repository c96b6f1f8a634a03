package deployer_test

import (
	"slices"
	"testing"

	"github.com/seadog/seadog/deployer"
)

func TestScopeIncludesTheOnesBeforeIt(t *testing.T) {
	t.Parallel()
	order := []deployer.Scope{deployer.ScopeRead, deployer.ScopeDeploy, deployer.ScopeAdmin}
	for i, has := range order {
		for j, needs := range order {
			if got := has.Includes(needs); got != (i >= j) {
				t.Errorf("%s includes %s: %v", has, needs, got)
			}
		}
		for _, none := range []deployer.Scope{"", "root"} {
			if has.Includes(none) || none.Includes(has) || none.Includes(none) {
				t.Errorf("%q and %s include each other", none, has)
			}
		}
	}
}

func TestVerdictDeploysIfThePushWillRun(t *testing.T) {
	t.Parallel()
	deploys := []deployer.Verdict{deployer.VerdictQueued, deployer.VerdictCoalesced, deployer.VerdictDeferred}
	for _, v := range deployer.Verdicts() {
		if got, want := v.Deploys(), slices.Contains(deploys, v); got != want {
			t.Errorf("%s: got %v, want %v", v, got, want)
		}
	}
}

// Lists that others iterate over have no gaps and no repetitions.
func TestListsNameEverythingOnce(t *testing.T) {
	t.Parallel()
	if got := once(deployer.Providers()); got != 10 {
		t.Errorf("%d providers, want 10", got)
	}
	if got := once(deployer.Verdicts()); got != 5 {
		t.Errorf("%d verdicts, want 5", got)
	}
	if got := once(deployer.Steps()); got != 8 {
		t.Errorf("%d steps, want 8", got)
	}
}

// once returns how many different values there are, 0 if one repeats.
func once[T comparable](values []T) int {
	seen := map[T]bool{}
	for _, v := range values {
		if seen[v] {
			return 0
		}
		seen[v] = true
	}
	return len(seen)
}

func TestDefaultTimeoutsBoundEveryStep(t *testing.T) {
	t.Parallel()
	d := deployer.DefaultTimeouts()
	for step, limit := range map[deployer.Step]deployer.Timeout{
		deployer.StepFetch: d.Fetch, deployer.StepConfig: d.Config, deployer.StepPull: d.Pull, deployer.StepBuild: d.Build,
		deployer.StepUp: d.Up, deployer.StepHealth: d.Health, deployer.StepRollback: d.Rollback,
	} {
		if limit.Deadline <= 0 || limit.Silence < 0 || limit.Silence > limit.Deadline {
			t.Errorf("%s: %+v", step, limit)
		}
	}
	if d.Grace <= 0 {
		t.Error("no time between TERM and KILL")
	}
}
