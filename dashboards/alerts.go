package dashboards

// Alerts returns all alerts, those about deployments first.
func Alerts() []Alert {
	return append(append(deploymentAlerts(), watchdogAlerts()...), dependencyAlerts()...)
}

func deploymentAlerts() []Alert {
	return []Alert{
		{
			Name: "SeadogDeploymentStuck", Expr: "max by (job, instance) (seadog_running_oldest_age_seconds)", Wrong: above(3600), For: "5m",
			Severity: Page, Board: "seadog-deployments",
			Summary: "A deployment on {{ $labels.instance }} has been running for {{ $value | humanizeDuration }}",
			Runbook: `
Every step has a deadline (steps.*.deadline), so something runs that was allowed to take this long, or the runner is stuck itself.
1. seadog status: which deployment, which step.
2. seadog logs PROJECT -f: what it prints. A registry or a build that hangs is the usual reason.
3. seadog cancel PROJECT ends it; what runs stays as it is until the step "up".
4. If cancel does nothing: seadog top shows the runner, seadog incidents what the watchdog has done about it.`,
		},
		{
			Name: "SeadogDeploymentSilent", Expr: "max by (job, instance) (seadog_running_stalled)", Wrong: above(0), For: "10m",
			Severity: Ticket, Board: "seadog-deployments",
			Summary: "A deployment on {{ $labels.instance }} has printed nothing for half of what its step may be silent",
			Runbook: `
It will be killed when it has been silent for all of steps.STEP.silence.
1. seadog logs PROJECT: the last lines say what it waits for.
2. If the step is allowed to be silent for long, raise its silence in seadog.yml.`,
		},
		{
			Name: "SeadogQueueOld", Expr: "max by (job, instance) (seadog_queue_oldest_age_seconds)", Wrong: above(600), For: "5m",
			Severity: Ticket, Board: "seadog-deployments",
			Summary: "A deployment on {{ $labels.instance }} has been waiting for {{ $value | humanizeDuration }}",
			Runbook: `
1. seadog status: if the project is locked, that is why; seadog unlock PROJECT lets it go.
2. If all runners are busy, raise workers.runners, or find the deployment that takes so long.
3. If none is busy: seadog top. Runners that do not claim cannot reach the store; their log says so.`,
		},
		{
			Name: "SeadogDeploymentsFailing", Severity: Ticket, Board: "seadog-deployments", For: "1m",
			Expr:    `sum by (job, instance) (increase(seadog_deployments_total{status=~"failed|timed_out"}[1h]))`,
			Wrong:   above(5),
			Summary: "{{ $value | humanize }} deployments failed on {{ $labels.instance }} within an hour",
			Runbook: `
1. seadog status: are they of one project (its last commit), or of all (engine, registry, disk)?
2. seadog logs PROJECT: the last lines are the reason.
3. seadog doctor asks the engine, git and the disk how they are.`,
		},
		{
			Name: "SeadogMissedWebhooks", Expr: "sum by (job, instance) (increase(seadog_missed_webhooks_total[1h]))", Wrong: above(0), For: "0s",
			Severity: Ticket, Board: "seadog-deployments",
			Summary: "{{ $value | humanize }} pushes reached {{ $labels.instance }} without a webhook",
			Runbook: `
They were deployed, but late. The forge does not deliver.
1. Look at the recent deliveries of the webhook on the forge's side: it shows what seadog, or the proxy before it, has answered.
2. seadog deliveries --project PROJECT shows what arrived here.
3. A proxy with a body limit below 26 MiB refuses large pushes.`,
		},
		{
			Name: "SeadogWebhookAuthenticationFailing", For: "5m", Severity: Ticket, Board: "seadog-deployments",
			Expr:    "sum by (job, instance, provider) (increase(seadog_webhook_authentication_failures_total[15m]))",
			Wrong:   above(3),
			Summary: "Deliveries of {{ $labels.provider }} to {{ $labels.instance }} carry a wrong secret",
			Runbook: `
1. The log names the hook ("a delivery was refused").
2. If the secret was changed: give the old one as previous_secret until all senders have the new one.
3. A proxy that rewrites bodies breaks every signature.
4. If nobody of yours sends them, somebody tries: they cost nothing and are refused before they are read.`,
		},
		{
			Name: "SeadogServerErrors", For: "5m", Severity: Page, Board: "seadog-overview",
			Expr: `sum by (job, instance) (seadog:http_requests:rate5m{code="5xx"}) ` +
				"/ clamp_min(sum by (job, instance) (seadog:http_requests:rate5m), 1e-9)",
			Wrong:   above(0.05),
			Summary: "{{ $value | humanizePercentage }} of the requests to {{ $labels.instance }} are answered with 5xx",
			Runbook: `
1. The overview shows by route what is asked; the log has one line for each of them, with its reason.
2. 503 on /hooks: the store (SeadogStoreDown), or overload (requests shed on the watchdog's dashboard).
3. 504: given up at their deadline (SeadogHarakiriRate).`,
		},
		{
			Name: "SeadogWebhooksSlow", For: "5m", Severity: Ticket, Board: "seadog-deployments",
			Expr:    `max by (job, instance) (seadog:http_request_duration_seconds:p99{route=~"/hooks/.*"})`,
			Wrong:   above(0.2),
			Summary: "Webhooks on {{ $labels.instance }} take {{ $value | humanizeDuration }} (p99)",
			Runbook: `
A delivery is answered when it is durable, so this is the disk or the database.
1. The dashboard shows the time of the store's accept beside it.
2. SQLite: is the disk shared with something that syncs a lot? PostgreSQL: is it far away, or short of connections?
3. If only the handler is slow and not the store, seadog top shows whether the workers are overloaded.`,
		},
	}
}

func watchdogAlerts() []Alert {
	return []Alert{
		{
			Name: "SeadogDown", Expr: `min by (job, instance) (up{job="seadog"})`, Wrong: below(1), For: "1m",
			Severity: Page, Board: "seadog-overview",
			Summary: "{{ $labels.instance }} does not answer scrapes",
			Runbook: `
1. Does the service run? systemctl status seadog, or docker ps.
2. If it does: seadog top reads the scoreboard without asking anybody. If it shows the pool admin, that process hangs: send it SIGQUIT, its stacks become an incident.
3. If it does not: the end of its log says why. A start that fails is usually the configuration (seadog check) or a port in use.`,
		},
		{
			Name: "SeadogWatchdogDown", Expr: "max by (job, instance) (seadog_watchdog_pass_age_seconds)", Wrong: above(10), For: "30s",
			Severity: Page, Board: "seadog-watchdog",
			Summary: "Nobody has watched the workers of {{ $labels.instance }} for {{ $value | humanizeDuration }}",
			Runbook: `
The master is stopped (SIGSTOP, a debugger, a frozen container) or hangs. Workers go on, but nobody replaces them.
1. Its state: grep State /proc/PID/status, with the pid that seadog top shows.
2. T is stopped: kill -CONT PID.
3. D is a kernel that hangs: look at dmesg, and at the disk of the data directory.
4. Under systemd with WatchdogSec it is restarted by itself.`,
		},
		{
			Name: "SeadogNoWorkerAccepts", Expr: `sum by (job, instance) (seadog_watchdog_workers_accepting{pool="http"})`, Wrong: below(1), For: "30s",
			Severity: Page, Board: "seadog-watchdog",
			Summary: "No HTTP worker of {{ $labels.instance }} accepts",
			Runbook: `
Webhooks wait in the backlog of the kernel, and are refused when it is full.
1. seadog top: are workers starting and dying? Their last words are in the log ("worker ended").
2. A worker that does not become ready usually cannot reach the store.
3. After a failed upgrade: put the old binary back and send SIGHUP.`,
		},
		{
			Name: "SeadogHarakiriRate", For: "5m", Severity: Ticket, Board: "seadog-watchdog",
			Expr:    `sum by (job, instance, pool) (seadog:watchdog_kills:rate5m{level="soft"})`,
			Wrong:   above(0.05),
			Summary: "Requests on {{ $labels.instance }} are given up at their deadline ({{ $value | humanize }} per second)",
			Runbook: `
1. seadog incidents: the verdict names what they wait for, and who holds it.
2. The same place in several workers is a dependency (store, engine) that hangs: mend that. The watchdog does not kill for it.
3. A deadlock or a stalled lock is a bug: keep the incident and its dump.`,
		},
		{
			Name: "SeadogWorkersKilled", For: "0s", Severity: Page, Board: "seadog-watchdog",
			Expr:    `sum by (job, instance, pool) (increase(seadog_watchdog_kills_total{level="hard"}[15m]))`,
			Wrong:   above(3),
			Summary: "{{ $value | humanize }} workers of {{ $labels.pool }} on {{ $labels.instance }} were killed within 15 minutes",
			Runbook: `
One kill is the watchdog doing its work; several in a row are a cause that comes back.
1. seadog incidents: compare the verdicts.
2. wedged or deadlock: the same request again? Keep it from being sent (lock the project) until it is mended.
3. stopped or frozen: the machine. Memory pressure, a hypervisor that pauses it, somebody's SIGSTOP.`,
		},
		{
			Name: "SeadogRequestsLost", For: "0s", Severity: Ticket, Board: "seadog-watchdog",
			Expr:    "sum by (job, instance, pool) (increase(seadog_watchdog_lost_requests_total[15m]))",
			Wrong:   above(0),
			Summary: "{{ $value | humanize }} requests to {{ $labels.instance }} got no answer",
			Runbook: `
Their worker died with them: it crashed, or the kernel killed it.
1. seadog incidents: the incident lists them by id, route and client.
2. A crash has the first line of its panic in the verdict. OOM is in dmesg.
3. Webhooks among them: the forge shows them as failed; deliver them again.`,
		},
		{
			Name: "SeadogRecycleStorm", For: "5m", Severity: Ticket, Board: "seadog-watchdog",
			Expr:    "sum by (job, instance, pool) (increase(seadog_watchdog_recycles_total[15m]))",
			Wrong:   above(10),
			Summary: "Workers of {{ $labels.pool }} on {{ $labels.instance }} reach their limits all the time",
			Runbook: `
1. The dashboard shows which limit (memory, goroutines, descriptors, requests, lifetime).
2. memory: is watchdog.recycle.memory below what the load needs? Live heap beside resident memory shows whether something leaks.
3. requests: the limit is too low for the rate.`,
		},
		{
			Name: "SeadogLeak", For: "1h", Severity: Ticket, Board: "seadog-soak",
			Expr:    "max by (job, instance, pool) (seadog:worker_resident_bytes:growth_per_hour)",
			Wrong:   above(32 << 20),
			Summary: "A worker of {{ $labels.pool }} on {{ $labels.instance }} grows by {{ $value | humanize1024 }}B per hour",
			Runbook: `
It will be recycled at its limit, without anybody noticing; but it should not have to be.
1. The soak dashboard: does the live heap grow as well (objects are kept), or only resident memory (fragmentation, many threads)?
2. Goroutines that grow with it: seadog dump http://… or an incident shows where they wait.`,
		},
		{
			Name: "SeadogGoroutineLeak", For: "1h", Severity: Ticket, Board: "seadog-soak",
			Expr:    "max by (job, instance, pool) (seadog:worker_goroutines:growth_per_hour)",
			Wrong:   above(200),
			Summary: "Goroutines of {{ $labels.pool }} on {{ $labels.instance }} grow by {{ $value | humanize }} per hour",
			Runbook: `
1. seadog top: do connections grow as well? Then it is clients that stay.
2. If not: send a worker SIGQUIT. Its stacks become an incident, in which the same frame stands a thousand times.`,
		},
		{
			Name: "SeadogDescriptorLeak", For: "1h", Severity: Ticket, Board: "seadog-soak",
			Expr:    "max by (job, instance, pool) (seadog:worker_open_fds:growth_per_hour)",
			Wrong:   above(200),
			Summary: "Descriptors of {{ $labels.pool }} on {{ $labels.instance }} grow by {{ $value | humanize }} per hour",
			Runbook: `
1. ls -l /proc/PID/fd | awk '{print $NF}' | sort | uniq -c | sort -n: what are they?
2. Set watchdog.recycle.descriptors below the limit of the process until it is mended.`,
		},
		{
			Name: "SeadogLogDropped", For: "10m", Severity: Ticket, Board: "seadog-watchdog",
			Expr:    "sum by (job, instance) (increase(seadog_log_dropped_lines_total[15m]))",
			Wrong:   above(0),
			Summary: "Nobody reads the log of {{ $labels.instance }}: {{ $value | humanize }} lines were dropped",
			Runbook: `
The service does not mind. Whoever reads its standard output is stopped or too slow: a terminal, a pipe, a log driver.`,
		},
	}
}

func dependencyAlerts() []Alert {
	return []Alert{
		{
			Name: "SeadogEngineDown", Expr: "min by (job, instance) (seadog_engine_up)", Wrong: below(1), For: "2m",
			Severity: Page, Board: "seadog-deployments",
			Summary: "The Docker engine of {{ $labels.instance }} does not answer",
			Runbook: `
Deployments that need it time out; webhooks are accepted and wait.
1. docker ps on that machine. If it hangs, the engine is wedged: restarting it leaves containers running only with live-restore.
2. seadog doctor says how long the engine takes for ps and inspect.
3. When it is back, what waited runs by itself.`,
		},
		{
			Name: "SeadogEngineBreakerOpen", Expr: "max by (job, instance) (seadog_engine_breaker_open)", Wrong: above(0), For: "1m",
			Severity: Ticket, Board: "seadog-deployments",
			Summary: "{{ $value }} processes of {{ $labels.instance }} do not ask the Docker engine any more",
			Runbook: `
Three calls in a row had no answer within 10 s. One in 10 s is tried until one is answered.
1. The log says which call ("docker engine does not answer"). inspect of one container that hangs while list works is a wedged container.
2. See SeadogEngineDown.`,
		},
		{
			Name: "SeadogStoreDown", Expr: "min by (job, instance) (seadog_store_up)", Wrong: below(1), For: "2m",
			Severity: Page, Board: "seadog-deployments",
			Summary: "The store of {{ $labels.instance }} does not answer",
			Runbook: `
Deliveries get 503: GitHub does not send them again by itself, others do for a while.
1. PostgreSQL: can you reach it from that machine with the same DSN?
2. SQLite: is the disk full, or does it hang? df, dmesg.
3. Afterwards: deliver again what the forge shows as failed.`,
		},
		{
			Name: "SeadogQueryBudget", For: "0s", Severity: Ticket, Board: "seadog-deployments",
			Expr:    "sum by (job, instance, route) (increase(seadog_query_budget_exceeded_total[15m]))",
			Wrong:   above(0),
			Summary: "{{ $labels.route }} on {{ $labels.instance }} asks the store too often",
			Runbook: `
The log line "query budget exceeded" names the statement that is repeated and how often: a query in a loop. It is a bug, not a matter of tuning.`,
		},
		{
			Name: "SeadogLoadTestFailed", For: "0s", Severity: Ticket, Board: "seadog-load-test",
			Expr:    "max by (instance, verdict) (loadgen_verdict)",
			Wrong:   `unless on (instance) (loadgen_verdict{verdict="PASS"} == 1)`,
			Summary: "The load test on {{ $labels.instance }} ended with {{ $labels.verdict }}: do not release",
			Runbook: `
1. report.html of the run gives every reason, with the second at which it happened.
2. FAIL is the service, INVALID the generator (too slow, out of ports), INCONCLUSIVE too few data.`,
		},
	}
}
