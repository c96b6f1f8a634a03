package dashboards

// queueAlerts are about deployments that take too long, or wait too long.
func queueAlerts() []Alert {
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
	}
}

// outcomeAlerts are about what comes out.
func outcomeAlerts() []Alert {
	return []Alert{
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
	}
}

// webhookAlerts are about forges and seadog that do not understand each other.
func webhookAlerts() []Alert {
	return []Alert{
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
