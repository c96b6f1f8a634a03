package dashboards

// loadTest shows a load test, on both sides of the wire.
func loadTest() Board {
	return Board{
		UID: "seadog-load-test", Title: "seadog / Load test", From: "now-30m", Load: true,
		Description: "A load test while it runs: what was to be sent, what was sent, what came back, and what the service was doing meanwhile.",
		Rows: []Row{
			{"The run", runOfLoad()},
			{"What clients saw", clientsOfLoad()},
			{"The generator", generatorOfLoad()},
			{"The service, at the same time", serviceUnderLoad()},
		},
	}
}

func runOfLoad() []Panel {
	return []Panel{
		{
			Title: "Verdict", Kind: Stat, Unit: "none", Width: 5, Bars: []Bar{{0, Calm}},
			Description: "PASS allows a release. INVALID is the generator's fault, INCONCLUSIVE too few data: neither allows one.",
			Queries:     []Query{{"max by (verdict) (last_over_time(" + load("loadgen_verdict") + "[$__range])) == 1", "{{verdict}}"}},
		},
		{
			Title: "Run", Kind: Table, Unit: "none", Width: 9,
			Description: "What ran in the time that is shown: the id stands in the report, too.",
			Queries:     []Query{{"max by (run_id, version, scenario) (last_over_time(" + load("loadgen_run_info") + "[$__range]))", ""}},
		},
		{
			Title: "Thresholds", Kind: Stat, Unit: "none", Width: 10, Bars: []Bar{{0, Bad}, {1, Good}},
			Names:       []Name{{"0", "missed", Bad}, {"1", "met", Good}},
			Description: "Each threshold of the scenario by its place there, as things are, or were at the end.",
			Queries:     []Query{{"min by (threshold) (last_over_time(" + load("loadgen_threshold_ok") + "[$__range]))", "{{threshold}}"}},
		},
		{
			Title: "Faults", Kind: Graph, Unit: "none", Zero: true, Width: 24,
			Description: "Which faults the load tester causes just now; they are on the other panels as annotations.",
			Queries:     []Query{{"max by (fault) (" + load("loadgen_fault_active") + ")", "{{fault}}"}},
		},
	}
}

func clientsOfLoad() []Panel {
	response, service := load("loadgen_response_seconds_bucket"), load("loadgen_service_seconds_bucket")
	return []Panel{
		{
			Title: "Planned and sent", Kind: Graph, Unit: "reqps", Zero: true,
			Description: "Arrivals follow the schedule whatever the service does. What was planned and not sent is a failure of one of the two.",
			Queries: []Query{
				{sum(rate(load("loadgen_hits_planned_total"))), "planned"},
				{sum(rate(load("loadgen_hits_sent_total"))), "sent"},
			},
		},
		{
			Title: "Responses", Kind: Graph, Unit: "reqps", Zero: true, Stacked: true,
			Description: "By code and outcome. A bad signature that is refused with 401 is a success.",
			Queries:     []Query{{sum(rate(load("loadgen_responses_total")), "code", "outcome"), "{{code}} {{outcome}}"}},
		},
		{
			Title: "In flight", Kind: Graph, Unit: "none", Zero: true,
			Description: "Requests that wait for their response. A line that only rises is a hang.",
			Queries:     []Query{{sum(load("loadgen_inflight_requests")), "in flight"}},
		},
		{
			Title: "Response time", Kind: Graph, Unit: "s", Zero: true, Width: 12, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "From the scheduled time to the end of the response: what a client would have seen. This is what is judged.",
			Queries: []Query{
				{quantile("0.5", response, "scenario"), "p50 {{scenario}}"},
				{quantile("0.99", response, "scenario"), "p99 {{scenario}}"},
			},
		},
		{
			Title: "Service time", Kind: Graph, Unit: "s", Zero: true, Width: 12, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "From the moment of sending: what the service did. Far below the response time means that requests queue before they are sent.",
			Queries: []Query{
				{quantile("0.5", service, "scenario"), "p50 {{scenario}}"},
				{quantile("0.99", service, "scenario"), "p99 {{scenario}}"},
			},
		},
	}
}

func generatorOfLoad() []Panel {
	return []Panel{
		{
			Title: "Lag", Kind: Graph, Unit: "s", Zero: true, Width: 12, Bars: []Bar{{0.01, Warn}, {0.1, Bad}},
			Description: "By how much 99 of 100 requests were late: self is the generator's own fault and makes the run invalid, slot is the service's.",
			Queries:     []Query{{quantile("0.99", load("loadgen_schedule_lag_seconds_bucket"), "cause"), "{{cause}}"}},
		},
		{
			Title: "Not sent", Kind: Graph, Unit: "none", Zero: true, Width: 12, Bars: anyIsBad(),
			Description: "Arrivals that were dropped, by why, in each interval. They count at their age.",
			Queries:     []Query{{sum("increase("+load("loadgen_hits_dropped_total")+"[$__rate_interval])", "reason"), "{{reason}}"}},
		},
	}
}

func serviceUnderLoad() []Panel {
	return []Panel{
		{
			Title: "Client minus server", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{0.05, Warn}, {0.5, Bad}},
			Description: "The 99th percentile of the clients' response time, and of the handlers' own. What is between them is queueing outside of the handler.",
			Queries: []Query{
				{quantile("0.99", load("loadgen_response_seconds_bucket")), "clients"},
				{quantile("0.99", of("seadog_http_request_duration_seconds_bucket", `route=~"/hooks/.*"`)), "handlers"},
			},
		},
		{
			Title: "Given up and shed", Kind: Graph, Unit: "none", Zero: true, Bars: anyIsWarn(), Links: incidents(),
			Description: "Requests at their deadline, workers that were killed, and requests that were refused because of overload, in each interval.",
			Queries: []Query{
				{sum("increase("+of("seadog_watchdog_kills_total")+"[$__rate_interval])", "level"), "{{level}}"},
				{sum("increase(" + of("seadog_watchdog_shed_requests_total") + "[$__rate_interval])"), "shed"},
			},
		},
		{
			Title: "Queue", Kind: Graph, Unit: "none", Zero: true, Links: deployed(),
			Description: "Deployments that wait and run while the load goes on.",
			Queries: []Query{
				{sum(of("seadog_queue_depth")), "waiting"},
				{sum(of("seadog_running")), "running"},
			},
		},
		{
			Title: "Memory of the HTTP workers", Kind: Graph, Unit: "bytes", Zero: true, Bars: []Bar{{768 << 20, Warn}, {1 << 30, Bad}},
			Description: "Resident, each.",
			Queries:     []Query{{of("seadog_worker_resident_bytes", `pool="http"`), "{{index}}"}},
		},
		{
			Title: "Goroutines of the HTTP workers", Kind: Graph, Unit: "none", Zero: true,
			Description: "They follow the requests in flight, and have to come back.",
			Queries:     []Query{{of("seadog_worker_goroutines", `pool="http"`), "{{index}}"}},
		},
		{
			Title: "Store: 99 of 100 calls", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "How long the store takes under the load.",
			Queries:     []Query{{quantile("0.99", of("seadog_store_call_duration_seconds_bucket"), "call"), "{{call}}"}},
		},
	}
}
