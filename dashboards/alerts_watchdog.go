package dashboards

// downAlerts are about those who are not there.
func downAlerts() []Alert {
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
	}
}

// killAlerts are about what is stuck.
func killAlerts() []Alert {
	return []Alert{
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
	}
}

// recycleAlerts are about what goes on, but should not.
func recycleAlerts() []Alert {
	return []Alert{
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
			Name: "SeadogLogDropped", For: "10m", Severity: Ticket, Board: "seadog-watchdog",
			Expr:    "sum by (job, instance) (increase(seadog_log_dropped_lines_total[15m]))",
			Wrong:   above(0),
			Summary: "Nobody reads the log of {{ $labels.instance }}: {{ $value | humanize }} lines were dropped",
			Runbook: `
The service does not mind. Whoever reads its standard output is stopped or too slow: a terminal, a pipe, a log driver.`,
		},
	}
}

// leakAlerts are about what grows.
func leakAlerts() []Alert {
	return []Alert{
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
	}
}
