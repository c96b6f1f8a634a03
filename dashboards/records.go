package dashboards

// Records returns the recording rules: what takes long to compute, or what
// several things need.
func Records() []Record {
	const place = "job, instance, pool, index"
	growth := func(metric string) string {
		// A spare is idle, and what comes and goes has no trend.
		return `deriv(` + metric + `{index!~"spare|extra"}[1h]) * 3600`
	}
	return []Record{
		{"seadog:http_requests:rate5m", "sum by (job, instance, route, code) (rate(seadog_http_requests_total[5m]))"},
		{
			"seadog:http_request_duration_seconds:p99",
			"histogram_quantile(0.99, sum by (job, instance, route, le) (rate(seadog_http_request_duration_seconds_bucket[5m])))",
		},
		{"seadog:watchdog_kills:rate5m", "sum by (job, instance, pool, level) (rate(seadog_watchdog_kills_total[5m]))"},
		{"seadog:worker_resident_bytes:growth_per_hour", "max by (" + place + ") (" + growth("seadog_worker_resident_bytes") + ")"},
		{"seadog:worker_goroutines:growth_per_hour", "max by (" + place + ") (" + growth("seadog_worker_goroutines") + ")"},
		{"seadog:worker_open_fds:growth_per_hour", "max by (" + place + ") (" + growth("seadog_worker_open_fds") + ")"},
	}
}
