package dashboards

// engineAlerts are about the Docker engine.
func engineAlerts() []Alert {
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
	}
}

// storeAlerts are about the database.
func storeAlerts() []Alert {
	return []Alert{
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
	}
}

// loadAlerts are about load tests.
func loadAlerts() []Alert {
	return []Alert{
		{
			Name: "SeadogLoadTestFailed", For: "0s", Severity: Ticket, Board: "seadog-load-test",
			Expr:    `max by (instance, verdict) (last_over_time(loadgen_verdict{verdict!="PASS"}[1h]))`,
			Wrong:   "== 1",
			Summary: "The load test on {{ $labels.instance }} ended with {{ $labels.verdict }}: do not release",
			Runbook: `
1. report.html of the run gives every reason, with the second at which it happened.
2. FAIL is the service, INVALID the generator (too slow, out of ports), INCONCLUSIVE too few data.`,
		},
	}
}
