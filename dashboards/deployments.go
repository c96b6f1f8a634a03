package dashboards

// deployments shows the way of a push until it runs.
func deployments() Board {
	return Board{
		UID: "seadog-deployments", Title: "seadog / Deployments", From: "now-24h",
		Description: "Deliveries, the queue, every step of a deployment, and what they depend on: the store and the Docker engine.",
		Rows: []Row{
			{"Deliveries", deliveryPanels()},
			{"Queue", queuePanels()},
			{"Runs", runPanels()},
			{"Docker engine", enginePanels()},
			{"Store", storePanels()},
		},
	}
}

func deliveryPanels() []Panel {
	return []Panel{
		{
			Title: "Deliveries by decision", Kind: Graph, Unit: "none", Zero: true, Stacked: true,
			Links:       []Link{{"Deliveries", "${" + base + "}/deliveries"}},
			Description: "What was decided about each push. Ignored ones concern another branch, tag or path; duplicates were sent twice.",
			Queries:     []Query{{sum("increase("+of("seadog_deliveries_total")+"[$__rate_interval])", "decision"), "{{decision}}"}},
		},
		{
			Title: "Deliveries by provider", Kind: Graph, Unit: "none", Zero: true, Stacked: true,
			Links:       []Link{{"Deliveries", "${" + base + "}/deliveries"}},
			Description: "Who sent them. A provider that falls silent although people push has a broken webhook.",
			Queries:     []Query{{sum("increase("+of("seadog_deliveries_total")+"[$__rate_interval])", "provider"), "{{provider}}"}},
		},
		{
			Title: "Refused signatures", Kind: Graph, Unit: "none", Zero: true, Bars: anyIsWarn(),
			Description: "Deliveries whose secret or signature was wrong: the secret was changed on one side only, or somebody tries.",
			Queries:     []Query{{sum("increase("+of("seadog_webhook_authentication_failures_total")+"[$__rate_interval])", "provider"), "{{provider}}"}},
		},
		{
			Title: "Missed webhooks", Kind: Stat, Unit: "none", Width: 6, Bars: anyIsBad(),
			Description: "Pushes in the time that is shown of which no webhook told. They are deployed nevertheless, but late.",
			Queries:     []Query{{sum(increase(of("seadog_missed_webhooks_total"))), "missed"}},
		},
		{
			Title: "Recorded for a replay", Kind: Stat, Unit: "none", Width: 6,
			Description: "What became of deliveries that were to be kept as they came in (record: in seadog.yml), in the time that is shown. " +
				"overflow: more came in than could be written; failed: the disk did not take it.",
			Queries: []Query{{sum(increase(of("seadog_recorded_deliveries_total")), "result"), "{{result}}"}},
		},
	}
}

func queuePanels() []Panel {
	wait := of("seadog_queue_wait_seconds_bucket")
	return []Panel{
		{
			Title: "Waiting and running", Kind: Graph, Unit: "none", Zero: true, Links: deployed(),
			Description: "Each project has at most one that runs and one that waits. A queue that grows while nothing runs means that runners are stuck or gone.",
			Queries: []Query{
				{sum(of("seadog_queue_depth")), "waiting"},
				{sum(of("seadog_running")), "running"},
				{sum(of("seadog_running_stalled")), "of these, silent"},
			},
		},
		{
			Title: "Oldest", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{600, Warn}, {3600, Bad}}, Links: deployed(),
			Description: "How long the oldest deployment has waited, and the oldest running one has been running.",
			Queries: []Query{
				{maximum(of("seadog_queue_oldest_age_seconds")), "waiting"},
				{maximum(of("seadog_running_oldest_age_seconds")), "running"},
			},
		},
		{
			Title: "Time in the queue", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{60, Warn}, {600, Bad}},
			Description: "How long deployments had waited when they began. More runners make it shorter, unless they wait for locks.",
			Queries: []Query{
				{quantile("0.5", wait), "half of them"},
				{quantile("0.95", wait), "95 of 100"},
			},
		},
	}
}

func runPanels() []Panel {
	return []Panel{
		{
			Title: "Ended", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Links: deployed(),
			Description: "Deployments by how they ended, in each interval.",
			Queries:     []Query{{sum("increase("+of("seadog_deployments_total")+"[$__rate_interval])", "status"), "{{status}}"}},
		},
		{
			Title: "How long they take", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{600, Warn}, {1800, Bad}},
			Description: "From the claim to the end, half of them and 95 of 100, by how they ended.",
			Queries: []Query{
				{quantile("0.5", of("seadog_deployment_duration_seconds_bucket"), "status"), "p50 {{status}}"},
				{quantile("0.95", of("seadog_deployment_duration_seconds_bucket"), "status"), "p95 {{status}}"},
			},
		},
		{
			Title: "Ended because their owner was gone", Kind: Graph, Unit: "none", Zero: true, Bars: anyIsWarn(), Links: deployed(),
			Description: "Deployments that the reaper ended: their runner died, or did not renew its lease. They run again once.",
			Queries:     []Query{{sum("increase("+of("seadog_reaped_total")+"[$__rate_interval])", "cause"), "{{cause}}"}},
		},
		{
			Title: "Steps: 95 of 100 take less", Kind: Graph, Unit: "s", Zero: true, Width: 12, Bars: []Bar{{300, Warn}, {900, Bad}},
			Description: "How long each step takes. A step that creeps towards its deadline will be killed there one day.",
			Queries:     []Query{{quantile("0.95", of("seadog_step_duration_seconds_bucket"), "step"), "{{step}}"}},
		},
		{
			Title: "Steps that did not succeed", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Width: 12, Bars: anyIsWarn(), Links: deployed(),
			Description: "Steps by how they ended, in each interval, without those that succeeded.",
			Queries: []Query{{
				sum("increase("+of("seadog_step_duration_seconds_count", `result!="succeeded"`)+"[$__rate_interval])", "step", "result"),
				"{{step}} {{result}}",
			}},
		},
	}
}

func enginePanels() []Panel {
	return []Panel{
		{
			Title: "Engine", Kind: Stat, Unit: "none", Width: 4, Bars: []Bar{{0, Bad}, {1, Good}}, Names: upDown(),
			Description: "Whether the engine answered when it was asked last.",
			Queries:     []Query{{"min(" + of("seadog_engine_up") + ")", "engine"}},
		},
		{
			Title: "Refused by the breaker", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(),
			Description: "Processes that do not ask the engine any more, because it did not answer them several times in a row; and how often that began.",
			Queries: []Query{
				{maximum(of("seadog_engine_breaker_open")), "now"},
				{sum(increase(of("seadog_engine_breaker_opened_total"))), "begun"},
			},
		},
		{
			Title: "Engine: time to an answer", Kind: Graph, Unit: "s", Zero: true, Width: 8, Bars: []Bar{{1, Warn}, {10, Bad}},
			Description: "The last probe, and 99 of 100 calls by what was asked. At 10 s a call is given up.",
			Queries: []Query{
				{maximum(of("seadog_engine_latency_seconds")), "probe"},
				{quantile("0.99", of("seadog_engine_call_duration_seconds_bucket"), "call"), "{{call}}"},
			},
		},
		{
			Title: "Calls without an answer", Kind: Graph, Unit: "none", Zero: true, Width: 8, Bars: anyIsBad(),
			Description: "Calls that the engine did not answer at all, in each interval.",
			Queries:     []Query{{sum("increase("+of("seadog_engine_call_failures_total")+"[$__rate_interval])", "call"), "{{call}}"}},
		},
	}
}

func storePanels() []Panel {
	return []Panel{
		{
			Title: "Numbers from the store", Kind: Stat, Unit: "s", Width: 4, Bars: []Bar{{30, Warn}, {120, Bad}},
			Description: "How old the counts of deliveries and deployments are. They are read for each scrape; older ones mean that the store is slow.",
			Queries:     []Query{{maximum(of("seadog_store_tally_age_seconds")), "age"}},
		},
		{
			Title: "Store: time to an answer", Kind: Graph, Unit: "s", Zero: true, Width: 8, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "99 of 100 calls. accept makes a delivery durable, together with what other requests bring at the same moment; write waits for its turn.",
			Queries:     []Query{{quantile("0.99", of("seadog_store_call_duration_seconds_bucket"), "call"), "{{call}}"}},
		},
		{
			Title: "Failed calls", Kind: Graph, Unit: "none", Zero: true, Width: 6, Bars: anyIsBad(),
			Description: "Calls that the store could not answer, or not in time: the disk is full, or the database is down.",
			Queries:     []Query{{sum("increase("+of("seadog_store_call_failures_total")+"[$__rate_interval])", "call"), "{{call}}"}},
		},
		{
			Title: "Above the budget of queries", Kind: Graph, Unit: "none", Zero: true, Width: 6, Bars: anyIsWarn(),
			Description: "Requests that asked the store more often than they may. The log names the statement that they repeat.",
			Queries:     []Query{{sum("increase("+of("seadog_query_budget_exceeded_total")+"[$__rate_interval])", "route"), "{{route}}"}},
		},
	}
}
