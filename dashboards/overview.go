package dashboards

// overview answers one question: is anything wrong?
func overview() Board {
	return Board{
		UID: "seadog-overview", Title: "seadog / Overview", From: "now-6h", Load: true,
		Description: "Ten seconds: are deployments healthy, is anything stuck, what was killed, and does the last load test allow a release?",
		Rows: []Row{
			{"Now", append(overviewParts(), overviewWork()...)},
			{"What came in and what came of it", overviewTrends()},
		},
	}
}

func overviewParts() []Panel {
	return []Panel{
		{
			Title: "Service", Kind: Stat, Unit: "none", Width: 3, Bars: []Bar{{0, Bad}, {1, Good}}, Names: upDown(),
			Description: "Whether the admin process answers Prometheus. If it does not, nothing else here is news.",
			Queries:     []Query{{"min(up{job=~\"$job\",instance=~\"$instance\"})", "scrape"}},
		},
		{
			Title: "Store", Kind: Stat, Unit: "none", Width: 3, Bars: []Bar{{0, Bad}, {1, Good}}, Names: upDown(),
			Description: "Whether the database answered in time. While it does not, deliveries get 503 and forges have to send them again.",
			Queries:     []Query{{"min(" + of("seadog_store_up") + ")", "store"}},
		},
		{
			Title: "Docker engine", Kind: Stat, Unit: "none", Width: 3, Bars: []Bar{{0, Bad}, {1, Good}}, Names: upDown(),
			Description: "Whether the engine answered the questions that docker ps and docker inspect ask. A deployment that meets a silent engine times out alone.",
			Queries:     []Query{{"min(" + of("seadog_engine_up") + ")", "engine"}},
		},
		{
			Title: "Workers missing", Kind: Stat, Unit: "none", Width: 3, Bars: anyIsBad(), Links: incidents(),
			Description: "HTTP workers that there should be and that do not accept. For a moment that is normal while one is replaced.",
			Queries: []Query{{
				"clamp_min(sum(" + of("seadog_watchdog_workers_wanted", `pool="http"`) + ") - sum(" + of("seadog_watchdog_workers_accepting", `pool="http"`) + "), 0)",
				"missing",
			}},
		},
		{
			Title: "Last load test", Kind: Stat, Unit: "none", Width: 4, Bars: []Bar{{0, Calm}},
			Description: "The verdict of the load test that ran last. Only PASS allows a release; INVALID means that the generator was at fault, not seadog.",
			Queries:     []Query{{"max by (verdict) (last_over_time(" + load("loadgen_verdict") + "[$__range])) == 1", "{{verdict}}"}},
		},
		{
			Title: "Running since", Kind: Stat, Unit: "s", Width: 4, Bars: []Bar{{0, Calm}},
			Description: "How long the service has been running. A restart loses no delivery, but whoever restarts often hides something.",
			Queries:     []Query{{"time() - max(" + of("seadog_start_time_seconds") + ")", "up for"}},
		},
		{
			Title: "Version", Kind: Stat, Unit: "none", Width: 4, Bars: []Bar{{0, Calm}},
			Description: "What is running. More than one after an upgrade means that an instance was forgotten.",
			Queries:     []Query{{"count by (version, goversion) (" + of("seadog_build_info") + ")", "{{version}} ({{goversion}})"}},
		},
	}
}

func overviewWork() []Panel {
	return []Panel{
		{
			Title: "Waiting", Kind: Stat, Unit: "none", Width: 3, Bars: []Bar{{5, Warn}, {20, Bad}}, Links: deployed(),
			Description: "Deployments that wait for a runner or for a lock.",
			Queries:     []Query{{sum(of("seadog_queue_depth")), "waiting"}},
		},
		{
			Title: "Longest wait", Kind: Stat, Unit: "s", Width: 3, Bars: []Bar{{60, Warn}, {600, Bad}}, Links: deployed(),
			Description: "How long the oldest waiting deployment has waited. Behind a lock that is as long as somebody wants.",
			Queries:     []Query{{maximum(of("seadog_queue_oldest_age_seconds")), "oldest"}},
		},
		{
			Title: "Longest run", Kind: Stat, Unit: "s", Width: 3, Bars: []Bar{{900, Warn}, {3600, Bad}}, Links: deployed(),
			Description: "How long the oldest running deployment has been running. Each of its steps has a deadline, so it cannot run for ever.",
			Queries:     []Query{{maximum(of("seadog_running_oldest_age_seconds")), "oldest"}},
		},
		{
			Title: "Silent", Kind: Stat, Unit: "none", Width: 3, Bars: anyIsWarn(), Links: deployed(),
			Description: "Running deployments whose step has printed nothing for half of what it may. When it is silent for all of it, it is killed.",
			Queries:     []Query{{sum(of("seadog_running_stalled")), "silent"}},
		},
		{
			Title: "Failed deployments", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(), Links: deployed(),
			Description: "Deployments that failed or timed out in the time that is shown.",
			Queries:     []Query{{sum(increase(of("seadog_deployments_total", `status=~"failed|timed_out"`))), "failed"}},
		},
		{
			Title: "Workers killed", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(), Links: incidents(),
			Description: "Workers that the watchdog had to kill in the time that is shown. Each has an incident that says why.",
			Queries:     []Query{{sum(increase(of("seadog_watchdog_kills_total", `level="hard"`))), "killed"}},
		},
		{
			Title: "Requests lost", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(), Links: incidents(),
			Description: "Requests that got no answer at all, because their worker died with them. The bar is 0.",
			Queries:     []Query{{sum(increase(of("seadog_watchdog_lost_requests_total"))), "lost"}},
		},
	}
}

func overviewTrends() []Panel {
	hooks := of("seadog_http_request_duration_seconds_bucket", `route=~"/hooks/.*"`)
	return []Panel{
		{
			Title: "Requests", Kind: Graph, Unit: "reqps", Zero: true, Stacked: true,
			Description: "Answered requests by route.",
			Queries:     []Query{{sum(rate(of("seadog_http_requests_total")), "route"), "{{route}}"}},
		},
		{
			Title: "Server errors", Kind: Graph, Unit: "percentunit", Zero: true, Bars: []Bar{{0.001, Warn}, {0.01, Bad}},
			Description: "The share of requests that was answered with 5xx: 503 is what was shed or could not be stored, 504 what was given up.",
			Queries: []Query{{
				sum(rate(of("seadog_http_requests_total", `code="5xx"`))) + " / clamp_min(" + sum(rate(of("seadog_http_requests_total"))) + ", 1e-9)",
				"5xx",
			}},
		},
		{
			Title: "Webhooks: time to a durable answer", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "From the request to the answer that follows the commit. The bars are 25 ms under a steady load and 200 ms in a burst of a thousand.",
			Queries: []Query{
				{quantile("0.5", hooks), "p50"},
				{quantile("0.99", hooks), "p99"},
			},
		},
		{
			Title: "Deployments by how they ended", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Links: deployed(),
			Description: "Ends in each interval. Superseded ones were replaced by a newer push before they began.",
			Queries:     []Query{{sum("increase("+of("seadog_deployments_total")+"[$__rate_interval])", "status"), "{{status}}"}},
		},
		{
			Title: "Given up", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Links: incidents(),
			Description: "Requests that were answered 504 at their deadline (soft), and workers that were killed (hard), in each interval.",
			Queries:     []Query{{sum("increase("+of("seadog_watchdog_kills_total")+"[$__rate_interval])", "level", "pool"), "{{level}} {{pool}}"}},
		},
		{
			Title: "Missed webhooks and refused ones", Kind: Graph, Unit: "none", Zero: true, Bars: anyIsWarn(),
			Description: "Pushes that no webhook told of, and deliveries with a wrong secret. Both mean that a forge and seadog do not agree.",
			Queries: []Query{
				{sum("increase(" + of("seadog_missed_webhooks_total") + "[$__rate_interval])"), "missed"},
				{sum("increase(" + of("seadog_webhook_authentication_failures_total") + "[$__rate_interval])"), "refused"},
			},
		},
	}
}
