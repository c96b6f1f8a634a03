package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/queue"
)

func TestOnlyARunningDeploymentWithoutOwnerIsReaped(t *testing.T) {
	t.Parallel()
	const ttl = 30 * time.Second
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	heard := func(ago time.Duration) *time.Time { at := now.Add(-ago); return &at }
	for name, test := range map[string]struct {
		d      deployer.Deployment
		live   deployer.Liveness
		reap   bool
		status deployer.Status
		cause  deployer.Cause
		says   string
	}{
		"alive and heard":                   {deployer.Deployment{HeartbeatAt: heard(time.Second)}, deployer.Alive, false, "", "", ""},
		"alive and slow":                    {deployer.Deployment{HeartbeatAt: heard(2 * ttl)}, deployer.Alive, false, "", "", ""},
		"alive and silent for ever":         {deployer.Deployment{HeartbeatAt: heard(10*ttl + 1)}, deployer.Alive, true, deployer.Interrupted, deployer.CauseLeaseExpired, "lives but"},
		"dead":                              {deployer.Deployment{HeartbeatAt: heard(0)}, deployer.Dead, true, deployer.Interrupted, deployer.CauseOwnerDied, "died"},
		"dead, and never heard":             {deployer.Deployment{CreatedAt: now}, deployer.Dead, true, deployer.Interrupted, deployer.CauseOwnerDied, "died"},
		"unknown and heard":                 {deployer.Deployment{HeartbeatAt: heard(ttl)}, deployer.Unknown, false, "", "", ""},
		"unknown and silent":                {deployer.Deployment{HeartbeatAt: heard(ttl + 1)}, deployer.Unknown, true, deployer.Interrupted, deployer.CauseLeaseExpired, "30s"},
		"unknown, never heard, just begun":  {deployer.Deployment{StartedAt: heard(time.Second)}, deployer.Unknown, false, "", "", ""},
		"unknown, never heard, long ago":    {deployer.Deployment{StartedAt: heard(time.Minute)}, deployer.Unknown, true, deployer.Interrupted, deployer.CauseLeaseExpired, "1m0s"},
		"dead when it was being canceled":   {deployer.Deployment{CancelBy: "al"}, deployer.Dead, true, deployer.Canceled, deployer.CauseCanceled, "canceled by al"},
		"silent when it was being canceled": {deployer.Deployment{CancelBy: "al", HeartbeatAt: heard(time.Hour)}, deployer.Unknown, true, deployer.Canceled, deployer.CauseCanceled, "canceled by al"},
	} {
		d := test.d
		d.Status = deployer.Running
		r, reap := queue.Judge(d, test.live, now, ttl)
		if reap != test.reap || r.Status != test.status || r.Cause != test.cause || !strings.Contains(r.Reason, test.says) {
			t.Errorf("%s: got %v %+v", name, reap, r)
		}
		if reap {
			if _, err := deployer.Running.To(r.Status); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, status := range deployer.Statuses() {
			d.Status = status
			if _, reap := queue.Judge(d, test.live, now, ttl); reap && status != deployer.Running {
				t.Errorf("%s: reaped although %s", name, status)
			}
		}
	}
}

func TestWhatALostOwnerLeavesBehindDependsOnItsStep(t *testing.T) {
	t.Parallel()
	for _, step := range append(deployer.Steps(), "") {
		want := deployer.OutcomeLeft
		switch step {
		case "", deployer.StepFetch, deployer.StepConfig, deployer.StepPull, deployer.StepBuild:
			want = deployer.OutcomeUntouched
		}
		for _, by := range []string{"", "al"} {
			d := deployer.Deployment{Status: deployer.Running, Step: step, CancelBy: by}
			if r, _ := queue.Judge(d, deployer.Dead, time.Now(), time.Minute); r.Outcome != want {
				t.Errorf("lost in step %q, cancel by %q: outcome %q, want %q", step, by, r.Outcome, want)
			}
		}
	}
}
