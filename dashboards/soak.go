package dashboards

// soak shows what only hours can show.
func soak() Board {
	return Board{
		UID: "seadog-soak", Title: "seadog / Soak", From: "now-24h", Load: true,
		Description: "Hours of load and faults: what must stay flat, and the ledger that must balance.",
		Rows: []Row{
			{"Flat or not", flatPanels()},
			{"The curves", curvePanels()},
			{"The ledger", ledgerPanels()},
		},
	}
}

func flatPanels() []Panel {
	trend := func(rule string) []Query { return []Query{{"max by (pool) (" + of(rule) + ")", "{{pool}}"}} }
	return []Panel{
		{
			Title: "Memory per hour", Kind: Stat, Unit: "bytes", Width: 6, Bars: []Bar{{4 << 20, Warn}, {16 << 20, Bad}},
			Description: "By how much the steepest worker of each pool grows, fitted over the last hour. Nought, give or take what the garbage collector does.",
			Queries:     trend("seadog:worker_resident_bytes:growth_per_hour"),
		},
		{
			Title: "Goroutines per hour", Kind: Stat, Unit: "none", Width: 6, Bars: []Bar{{10, Warn}, {100, Bad}},
			Description: "The same for goroutines.",
			Queries:     trend("seadog:worker_goroutines:growth_per_hour"),
		},
		{
			Title: "Descriptors per hour", Kind: Stat, Unit: "none", Width: 6, Bars: []Bar{{10, Warn}, {100, Bad}},
			Description: "The same for file descriptors.",
			Queries:     trend("seadog:worker_open_fds:growth_per_hour"),
		},
		{
			Title: "Age of the youngest worker", Kind: Stat, Unit: "s", Width: 6, Bars: []Bar{{0, Warn}, {3600, Good}},
			Description: "A worker that was replaced lately starts its curve anew: growth over the last hour says nothing about it.",
			Queries:     []Query{{"min by (pool) (" + of("seadog_worker_age_seconds", `index!~"spare|extra"`) + ")", "{{pool}}"}},
		},
	}
}

func curvePanels() []Panel {
	each := func(metric string) []Query {
		return []Query{{of(metric, `index!~"spare|extra"`), "{{pool}}/{{index}}"}}
	}
	return []Panel{
		{
			Title: "Resident memory", Kind: Graph, Unit: "bytes", Zero: true, Width: 12, Bars: []Bar{{768 << 20, Warn}, {1 << 30, Bad}},
			Description: "Saw teeth are the garbage collector; it is their lower edge that must be flat.",
			Queries:     each("seadog_worker_resident_bytes"),
		},
		{
			Title: "Live heap", Kind: Graph, Unit: "bytes", Zero: true, Width: 12,
			Description: "What the last garbage collection left: the same without the saw teeth.",
			Queries:     each("seadog_worker_heap_live_bytes"),
		},
		{
			Title: "Goroutines", Kind: Graph, Unit: "none", Zero: true,
			Description: "They may follow the load; after it they have to come back.",
			Queries:     each("seadog_worker_goroutines"),
		},
		{
			Title: "File descriptors", Kind: Graph, Unit: "none", Zero: true,
			Description: "Likewise.",
			Queries:     each("seadog_worker_open_fds"),
		},
		{
			Title: "Garbage collections", Kind: Graph, Unit: "cps", Zero: true,
			Description: "How often garbage is collected, for all workers of a pool. More and more often under the same load means less and less room.",
			Queries:     []Query{{sum(rate(of("seadog_worker_gc_cycles_total")), "pool"), "{{pool}}"}},
		},
	}
}

func ledgerPanels() []Panel {
	return []Panel{
		{
			Title: "Accepted and sent", Kind: Stat, Unit: "none", Width: 12, Bars: []Bar{{0, Calm}},
			Description: "What the generator sent, and what the service has decided, both in the time that is shown. Bad signatures are not recorded.",
			Queries: []Query{
				{sum(increase(load("loadgen_hits_sent_total"))), "sent"},
				{sum(increase(of("seadog_deliveries_total"))), "decided"},
				{sum(increase(of("seadog_webhook_authentication_failures_total"))), "refused"},
			},
		},
		{
			Title: "Queued and ended", Kind: Stat, Unit: "none", Width: 12, Bars: []Bar{{0, Calm}}, Links: deployed(),
			Description: "Deployments that were queued and that ended, in the time that is shown. What is between them waits or runs.",
			Queries: []Query{
				{sum(increase(of("seadog_deliveries_total", `decision=~"queued|deferred"`))), "queued"},
				{sum(increase(of("seadog_deployments_total"))), "ended"},
			},
		},
		{
			Title: "Replaced", Kind: Stat, Unit: "none", Width: 8,
			Description: "Workers that ended in the time that is shown, by why. A soak may recycle them; it must not lose one.",
			Bars:        []Bar{{0, Calm}},
			Queries:     []Query{{sum(increase(of("seadog_watchdog_worker_ends_total")), "reason") + " > 0 or " + sum(increase(of("seadog_watchdog_worker_ends_total", `reason="crash"`)), "reason"), "{{reason}}"}},
		},
		{
			Title: "Lost", Kind: Stat, Unit: "none", Width: 8, Bars: anyIsBad(), Links: incidents(),
			Description: "Requests without an answer, and reaped deployments, in the time that is shown.",
			Queries: []Query{
				{sum(increase(of("seadog_watchdog_lost_requests_total"))), "requests"},
				{sum(increase(of("seadog_reaped_total", `cause!="canceled"`))), "runners"},
			},
		},
		{
			Title: "Slowest hour", Kind: Stat, Unit: "s", Width: 8, Bars: []Bar{{0.025, Warn}, {0.2, Bad}},
			Description: "The highest 99th percentile of webhooks in the time that is shown.",
			Queries:     []Query{{"max(max_over_time(" + of("seadog:http_request_duration_seconds:p99", `route=~"/hooks/.*"`) + "[$__range]))", "p99"}},
		},
	}
}
