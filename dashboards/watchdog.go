package dashboards

// watchdog shows the workers, what was stuck in them and what was done about it.
func watchdog() Board {
	return Board{
		UID: "seadog-watchdog", Title: "seadog / Watchdog", From: "now-3h",
		Description: "Workers, their requests, and whatever was given up, killed or replaced.",
		Rows: []Row{
			{"Who works", workerPanels()},
			{"What was stuck", stuckPanels()},
			{"What became of the clients", clientPanels()},
			{"Requests", requestPanels()},
			{"What each worker uses", usagePanels()},
			{"The watchdog itself", watcherPanels()},
		},
	}
}

func workerPanels() []Panel {
	return []Panel{
		{
			Title: "Workers by state", Kind: Graph, Unit: "none", Zero: true, Stacked: true,
			Description: "Ready ones work, the spare waits, and all others come or go. Quarantined ones are to be killed when somebody else accepts.",
			Queries:     []Query{{sum(of("seadog_watchdog_workers"), "pool", "state"), "{{pool}} {{state}}"}},
		},
		{
			Title: "Accepting", Kind: Graph, Unit: "none", Zero: true,
			Description: "Workers that take new work, beside how many there should be.",
			Queries: []Query{
				{sum(of("seadog_watchdog_workers_accepting"), "pool"), "{{pool}}"},
				{sum(of("seadog_watchdog_workers_wanted"), "pool"), "{{pool}} wanted"},
			},
		},
		{
			Title: "Oldest heartbeat", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{0.5, Warn}, {2, Bad}},
			Description: "Workers beat ten times a second, three times when they have no connection. At 2 s one is thought to be frozen, and is killed.",
			Queries:     []Query{{maximum(of("seadog_watchdog_heartbeat_age_seconds"), "pool"), "{{pool}}"}},
		},
		{
			Title: "Workers that ended", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Width: 12,
			Description: "By why, in each interval. reload and shutdown are what somebody asked for.",
			Queries:     []Query{{sum("increase("+of("seadog_watchdog_worker_ends_total")+"[$__rate_interval])", "pool", "reason"), "{{pool}} {{reason}}"}},
		},
		{
			Title: "Recycled", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Width: 12, Bars: anyIsWarn(),
			Description: "Workers that were replaced in order because they had reached a limit, in each interval. Memory, goroutines and descriptors are leaks.",
			Queries:     []Query{{sum("increase("+of("seadog_watchdog_recycles_total")+"[$__rate_interval])", "pool", "reason"), "{{pool}} {{reason}}"}},
		},
	}
}

func stuckPanels() []Panel {
	return []Panel{
		{
			Title: "Given up", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Width: 12, Bars: anyIsWarn(), Links: incidents(),
			Description: "Requests at their deadline (soft) and workers that were killed (hard), by reason, in each interval.",
			Queries:     []Query{{sum("increase("+of("seadog_watchdog_kills_total")+"[$__rate_interval])", "pool", "level", "reason"), "{{level}} {{pool}} {{reason}}"}},
		},
		{
			Title: "Incidents by verdict", Kind: Graph, Unit: "none", Zero: true, Stacked: true, Width: 12, Bars: anyIsWarn(), Links: incidents(),
			Description: "What was written down, in each interval. A deadlock is proven; stalled is a lock that nobody left while it was looked at.",
			Queries:     []Query{{sum("increase("+of("seadog_watchdog_incidents_total")+"[$__rate_interval])", "pool", "verdict"), "{{pool}} {{verdict}}"}},
		},
		{
			Title: "Stuck now", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(), Links: incidents(),
			Description: "Requests that were given up and have not ended. When their mercy is over, their worker goes.",
			Queries:     []Query{{sum(of("seadog_watchdog_requests_stuck"), "pool"), "{{pool}}"}},
		},
		{
			Title: "Stalled locks", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsWarn(), Links: incidents(),
			Description: "Locks, in the time that is shown, that requests waited for and nobody left, or that somebody held for more than 30 s.",
			Queries:     []Query{{sum(increase(of("seadog_watchdog_lock_stalls_total")), "pool"), "{{pool}}"}},
		},
		{
			Title: "Stacks: time to write them", Kind: Graph, Unit: "s", Zero: true, Width: 8, Bars: []Bar{{0.5, Warn}, {2, Bad}},
			Description: "By workers themselves, while all of their goroutines stand still, and by those that are being killed. More than 0.5 s of the former counts as frozen.",
			Queries:     []Query{{quantile("0.99", of("seadog_watchdog_dump_duration_seconds_bucket"), "by"), "{{by}}"}},
		},
		{
			Title: "Suspects", Kind: Graph, Unit: "none", Zero: true, Width: 8, Bars: anyIsWarn(),
			Description: "Workers that stopped accepting because nothing in them completed, and requests that overloaded ones refused, in each interval.",
			Queries: []Query{
				{sum("increase("+of("seadog_watchdog_suspect_gates_total")+"[$__rate_interval])", "pool"), "{{pool}} gated"},
				{sum("increase("+of("seadog_watchdog_shed_requests_total")+"[$__rate_interval])", "pool"), "{{pool}} shed"},
			},
		},
	}
}

func clientPanels() []Panel {
	return []Panel{
		{
			Title: "Lost", Kind: Stat, Unit: "none", Width: 4, Bars: anyIsBad(), Links: incidents(),
			Description: "Requests in the time that is shown that got no answer at all. The bar is 0.",
			Queries:     []Query{{sum(increase(of("seadog_watchdog_lost_requests_total")), "pool"), "{{pool}}"}},
		},
		{
			Title: "Looked after by the watchdog", Kind: Graph, Unit: "none", Zero: true, Width: 10,
			Description: "Clients of frozen workers that the watchdog answered itself, and idle connections that it gave to other workers, in each interval.",
			Queries: []Query{
				{sum("increase("+of("seadog_watchdog_answered_requests_total")+"[$__rate_interval])", "pool"), "{{pool}} answered"},
				{sum("increase("+of("seadog_watchdog_moved_connections_total")+"[$__rate_interval])", "pool"), "{{pool}} moved"},
			},
		},
		{
			Title: "Too late", Kind: Graph, Unit: "none", Zero: true, Width: 10,
			Description: "Requests that ended after they had been given up, answers that came too late to be sent, and clients that did not wait, in each interval.",
			Queries: []Query{
				{sum("increase("+of("seadog_watchdog_recovered_requests_total")+"[$__rate_interval])", "pool"), "{{pool}} ended later"},
				{sum("increase("+of("seadog_watchdog_late_writes_total")+"[$__rate_interval])", "pool"), "{{pool}} late answers"},
				{sum("increase("+of("seadog_watchdog_hangups_total")+"[$__rate_interval])", "pool"), "{{pool}} clients gone"},
			},
		},
	}
}

func requestPanels() []Panel {
	buckets := of("seadog_http_request_duration_seconds_bucket")
	return []Panel{
		{
			Title: "99 of 100 requests take less", Kind: Graph, Unit: "s", Zero: true, Width: 12, Bars: []Bar{{0.2, Warn}, {2.5, Bad}},
			Description: "By route, streams included: these last as long as somebody looks.",
			Queries:     []Query{{quantile("0.99", buckets, "route"), "{{route}}"}},
		},
		{
			Title: "Requests by route", Kind: Graph, Unit: "reqps", Zero: true, Stacked: true, Width: 12,
			Description: "Requests that ended, answered or given up.",
			Queries:     []Query{{sum(rate(of("seadog_http_request_duration_seconds_count")), "route"), "{{route}}"}},
		},
		{
			Title: "Under way", Kind: Graph, Unit: "none", Zero: true,
			Description: "Requests that are being worked on, and connections.",
			Queries: []Query{
				{sum(of("seadog_watchdog_requests_in_flight"), "pool"), "{{pool}} requests"},
				{sum(of("seadog_watchdog_connections"), "pool"), "{{pool}} connections"},
			},
		},
		{
			Title: "Oldest request", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{10, Warn}, {30, Bad}}, Links: incidents(),
			Description: "How old the oldest request is that is no stream; for runners, the step that runs.",
			Queries:     []Query{{maximum(of("seadog_watchdog_oldest_request_age_seconds"), "pool"), "{{pool}}"}},
		},
		{
			Title: "Waiting to be accepted", Kind: Graph, Unit: "percentunit", Zero: true, Bars: []Bar{{0.1, Warn}, {0.5, Bad}},
			Description: "Connections in the backlog of the kernel, as a share of how many fit. What does not fit is refused by the kernel.",
			Queries: []Query{{
				sum(of("seadog_watchdog_backlog_connections"), "pool") + " / clamp_min(" + sum(of("seadog_watchdog_backlog_limit_connections"), "pool") + ", 1)",
				"{{pool}}",
			}},
		},
	}
}

func usagePanels() []Panel {
	each := func(metric string) []Query { return []Query{{of(metric), "{{pool}}/{{index}}"}} }
	return []Panel{
		{
			Title: "Resident memory", Kind: Graph, Unit: "bytes", Zero: true, Bars: []Bar{{768 << 20, Warn}, {1 << 30, Bad}},
			Description: "Without the shared scoreboard. By default a worker is recycled at 1 GiB.",
			Queries:     each("seadog_worker_resident_bytes"),
		},
		{
			Title: "Live heap", Kind: Graph, Unit: "bytes", Zero: true,
			Description: "What the last garbage collection left. If this grows for hours, something leaks.",
			Queries:     each("seadog_worker_heap_live_bytes"),
		},
		{
			Title: "Processor", Kind: Graph, Unit: "percentunit", Zero: true, Bars: []Bar{{0.8, Warn}, {1, Bad}},
			Description: "Processors that are kept busy; that of runners includes the commands that have ended. A worker at exactly 1 while nobody asks anything spins.",
			Queries:     []Query{{rate(of("seadog_worker_cpu_seconds_total")), "{{pool}}/{{index}}"}},
		},
		{
			Title: "Goroutines", Kind: Graph, Unit: "none", Zero: true, Bars: []Bar{{10000, Warn}, {20000, Bad}},
			Description: "By default a worker is recycled at 20,000.",
			Queries:     each("seadog_worker_goroutines"),
		},
		{
			Title: "Waiting for a processor", Kind: Graph, Unit: "none", Zero: true,
			Description: "Goroutines that could run. When they are many and wait for long, the worker is overloaded and sheds what is not essential.",
			Queries:     each("seadog_worker_runnable_goroutines"),
		},
		{
			Title: "How long they wait", Kind: Graph, Unit: "s", Zero: true, Bars: []Bar{{0.01, Warn}, {0.1, Bad}},
			Description: "What 99 of 100 goroutines waited for a processor at most.",
			Queries:     each("seadog_worker_scheduling_latency_seconds"),
		},
		{
			Title: "File descriptors", Kind: Graph, Unit: "none", Zero: true,
			Description: "One for each connection, and a few more.",
			Queries:     each("seadog_worker_open_fds"),
		},
		{
			Title: "Threads", Kind: Graph, Unit: "none", Zero: true,
			Description: "Threads that are blocked in the kernel, or in foreign code, are replaced by new ones: growth means that something is stuck there.",
			Queries:     each("seadog_worker_threads"),
		},
		{
			Title: "Garbage collection", Kind: Graph, Unit: "percentunit", Zero: true, Bars: []Bar{{0.1, Warn}, {0.25, Bad}},
			Description: "Processors that are busy with it, for all workers of a pool.",
			Queries:     []Query{{sum(rate(of("seadog_worker_gc_cpu_seconds_total")), "pool"), "{{pool}}"}},
		},
	}
}

func watcherPanels() []Panel {
	return []Panel{
		{
			Title: "Last look", Kind: Stat, Unit: "s", Width: 4, Bars: []Bar{{2, Warn}, {10, Bad}},
			Description: "How long ago the watchdog last looked at all workers: three to ten times a second is normal. If it grows, nobody watches.",
			Queries:     []Query{{maximum(of("seadog_watchdog_pass_age_seconds")), "ago"}},
		},
		{
			Title: "Looks", Kind: Graph, Unit: "cps", Zero: true, Width: 7,
			Description: "How often it looks. Less while nothing is going on, more while a heartbeat is late.",
			Queries:     []Query{{sum(rate(of("seadog_watchdog_passes_total"))), "per second"}},
		},
		{
			Title: "Overslept", Kind: Stat, Unit: "s", Width: 4, Bars: []Bar{{1, Warn}},
			Description: "Time, of the time that is shown, in which nobody watched: the machine slept, or the watchdog was stopped. Nobody is blamed for it.",
			Queries:     []Query{{sum(increase(of("seadog_watchdog_overslept_seconds_total"))), "in all"}},
		},
		{
			Title: "Log lines dropped", Kind: Stat, Unit: "none", Width: 5, Bars: anyIsWarn(),
			Description: "Lines, in the time that is shown, that were dropped because nobody read them. Nothing ever waits for a log.",
			Queries:     []Query{{sum(increase(of("seadog_log_dropped_lines_total")), "pool"), "{{pool}}"}},
		},
		{
			Title: "Usage of workers", Kind: Stat, Unit: "none", Width: 4, Bars: []Bar{{0, Bad}, {1, Good}}, Names: upDown(),
			Description: "Whether the kernel told in time what workers use. If not, the row above is old.",
			Queries:     []Query{{"min(" + of("seadog_worker_usage_up") + ")", "/proc"}},
		},
	}
}
