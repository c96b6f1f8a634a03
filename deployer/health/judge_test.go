package health_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/health"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	stable := 10 * time.Second
	seen := func(since time.Duration, restarts int, o health.Observation) health.Seen {
		if o.Service == "" {
			o.Service = "web"
		}
		return health.Seen{Observation: o, Since: now.Add(-since), Restarts: restarts}
	}
	running := health.Observation{State: health.Running}
	web := []health.Expect{{Service: "web", Replicas: 1}}

	for name, tt := range map[string]struct {
		want   []health.Expect
		seen   []health.Seen
		expect health.Outcome
		reason string
	}{
		"nothing expected passes": {expect: health.Passed},
		"a healthy check passes at once": {
			want: web, expect: health.Passed,
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Running, Check: health.CheckHealthy})},
		},
		"a starting check waits, however long the container runs": {
			want: web, expect: health.Waiting, reason: "web: its health check has not passed yet: warming up",
			seen: []health.Seen{seen(time.Hour, 0, health.Observation{State: health.Running, Check: health.CheckStarting, CheckLog: "warming up"})},
		},
		"an unhealthy check fails": {
			want: web, expect: health.Failed, reason: "web: unhealthy: feeling sick",
			seen: []health.Seen{seen(time.Hour, 0, health.Observation{State: health.Running, Check: health.CheckUnhealthy, CheckLog: "feeling sick"})},
		},
		"without a check a container passes when it has run for long enough": {
			want: web, expect: health.Passed, seen: []health.Seen{seen(stable, 0, running)},
		},
		"without a check a container waits before": {
			want: web, expect: health.Waiting, reason: "web: running, not yet for 10s",
			seen: []health.Seen{seen(stable-time.Nanosecond, 0, running)},
		},
		"restarts are tolerated, and begin the time anew": {
			want: web, expect: health.Waiting, reason: "web: running, not yet for 10s",
			seen: []health.Seen{seen(time.Second, health.Tolerated, running)},
		},
		"more restarts are a crash loop, even while it runs": {
			want: web, expect: health.Failed, reason: "web: crash-looping: restarted 3 times, last exit code 7",
			seen: []health.Seen{seen(0, health.Tolerated+1, health.Observation{State: health.Running, ExitCode: 7})},
		},
		"a container between two runs waits": {
			want: web, expect: health.Waiting, reason: "web: restarting after exit code 1",
			seen: []health.Seen{seen(0, 1, health.Observation{State: health.Restarting, ExitCode: 1})},
		},
		"a one-shot that ended with 0 passes": {
			want: web, expect: health.Passed,
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Exited, Restart: "no"})},
		},
		"a one-shot that needed a second try passes": {
			want: web, expect: health.Passed,
			seen: []health.Seen{seen(0, 1, health.Observation{State: health.Exited, Restart: "on-failure"})},
		},
		"a server that ended with 0 does not pass": {
			want: web, expect: health.Waiting, reason: "web: stopped, although its restart policy is always",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Exited, Restart: "always"})},
		},
		"an exit code fails": {
			want: web, expect: health.Failed, reason: "web: exited with code 3",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Exited, ExitCode: 3, Restart: "no"})},
		},
		"a death by memory is named": {
			want: web, expect: health.Failed, reason: "web: exited with code 137 (out of memory)",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Exited, ExitCode: 137, OOM: true})},
		},
		"a container that could not be started fails": {
			want: web, expect: health.Failed, reason: "web: could not be started: port is taken",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Created, Error: "port is taken"})},
		},
		"one that was not started waits": {
			want: web, expect: health.Waiting, reason: "web: created, not started",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Created})},
		},
		"dead fails": {
			want: web, expect: health.Failed, reason: "web: dead: the engine could not remove it",
			seen: []health.Seen{seen(0, 0, health.Observation{State: health.Dead})},
		},
		"paused waits": {
			want: web, expect: health.Waiting, reason: "web: paused",
			seen: []health.Seen{seen(time.Hour, 0, health.Observation{State: health.Paused})},
		},
		"a missing container waits": {
			want: web, expect: health.Waiting, reason: "web: there is no container",
			seen: []health.Seen{seen(time.Hour, 0, health.Observation{Service: "db", State: health.Running})},
		},
		"too few replicas wait": {
			want: []health.Expect{{Service: "web", Replicas: 2}}, expect: health.Waiting, reason: "web: 1 of 2 containers are there",
			seen: []health.Seen{seen(time.Hour, 0, running)},
		},
		"the worst replica speaks for its service": {
			want: []health.Expect{{Service: "web", Replicas: 3}}, expect: health.Failed, reason: "web: exited with code 1",
			seen: []health.Seen{
				seen(time.Hour, 0, running),
				seen(0, 0, health.Observation{State: health.Exited, ExitCode: 1}),
				seen(0, 0, running),
			},
		},
		"services without replicas are not expected": {
			want: []health.Expect{{Service: "web", Replicas: 0}}, expect: health.Passed,
		},
		"services that are not expected are not judged": {
			want: web, expect: health.Passed,
			seen: []health.Seen{seen(stable, 0, running), seen(0, 9, health.Observation{Service: "x", State: health.Dead})},
		},
		"every service counts, and only failures are named once there is one": {
			want: []health.Expect{{"z", 1}, {"web", 1}, {"a", 1}}, expect: health.Failed,
			reason: "a: exited with code 1; z: unhealthy",
			seen: []health.Seen{
				seen(0, 0, running),
				seen(0, 0, health.Observation{Service: "z", State: health.Running, Check: health.CheckUnhealthy}),
				seen(0, 0, health.Observation{Service: "a", State: health.Exited, ExitCode: 1}),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := health.Judge(tt.want, tt.seen, now, deployer.HealthPolicy{Stable: stable})
			if v.Outcome != tt.expect {
				t.Errorf("outcome %s, want %s", v.Outcome, tt.expect)
			}
			if diff := cmp.Diff(tt.reason, v.Reason()); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
		})
	}
}
