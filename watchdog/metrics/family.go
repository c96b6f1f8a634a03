package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// The families of the service and its pools. Labels are bounded: pools, states
// and reasons are enumerations, and routes are those of the scoreboard.
var (
	descStart = prometheus.NewDesc("seadog_start_time_seconds",
		"When the service was started, in seconds since 1970.", nil, nil)
	descPassAge = prometheus.NewDesc("seadog_watchdog_pass_age_seconds",
		"How long ago the watchdog last looked at all workers.", nil, nil)
	descPasses = prometheus.NewDesc("seadog_watchdog_passes_total",
		"How often the watchdog looked at all workers.", nil, nil)
	descOverslept = prometheus.NewDesc("seadog_watchdog_overslept_seconds_total",
		"Time in which nobody watched: the machine slept, or the watchdog was stopped.", nil, nil)
	descLogLost = prometheus.NewDesc("seadog_log_dropped_lines_total",
		"Lines of the log that were dropped because nobody read it; the watchdog's own process is master.", []string{"pool"}, nil)

	descKills = prometheus.NewDesc("seadog_watchdog_kills_total",
		"What was given up: requests at their deadline (soft), and workers in which something was stuck (hard).", []string{"pool", "level", "reason"}, nil)
	descRecovered = prometheus.NewDesc("seadog_watchdog_recovered_requests_total",
		"Requests that were given up and ended by themselves later.", []string{"pool"}, nil)
	descLost = prometheus.NewDesc("seadog_watchdog_lost_requests_total",
		"Requests under way in workers that were killed or died, which got no answer.", []string{"pool"}, nil)
	descAnswered = prometheus.NewDesc("seadog_watchdog_answered_requests_total",
		"Requests of frozen workers that the watchdog itself answered with 504.", []string{"pool"}, nil)
	descMoved = prometheus.NewDesc("seadog_watchdog_moved_connections_total",
		"Idle connections that were taken out of a worker and given to another.", []string{"pool"}, nil)
	descRecycles = prometheus.NewDesc("seadog_watchdog_recycles_total",
		"Workers that were replaced in order because they had reached a limit.", []string{"pool", "reason"}, nil)
	descEnds = prometheus.NewDesc("seadog_watchdog_worker_ends_total",
		"Workers that ended, by why.", []string{"pool", "reason"}, nil)
	descIncidents = prometheus.NewDesc("seadog_watchdog_incidents_total",
		"Incidents that were written down.", []string{"pool", "verdict"}, nil)
	descLockStalls = prometheus.NewDesc("seadog_watchdog_lock_stalls_total",
		"Locks that requests waited for and nobody left, or that were held for more than 30 s.", []string{"pool"}, nil)
	descDump = prometheus.NewDesc("seadog_watchdog_dump_duration_seconds",
		"How long workers took to dump their stacks: by themselves, standing still, or as the master killed them.", []string{"pool", "by"}, nil)
	descShed = prometheus.NewDesc("seadog_watchdog_shed_requests_total",
		"Requests that an overloaded worker refused with 503.", []string{"pool"}, nil)
	descGates = prometheus.NewDesc("seadog_watchdog_suspect_gates_total",
		"Times that a worker stopped accepting because nothing in it completed.", []string{"pool"}, nil)
	descHangUps = prometheus.NewDesc("seadog_watchdog_hangups_total",
		"Requests that were canceled because their client had gone.", []string{"pool"}, nil)
	descLateWrites = prometheus.NewDesc("seadog_watchdog_late_writes_total",
		"Answers that were refused because the client had been answered already.", []string{"pool"}, nil)

	descWorkers = prometheus.NewDesc("seadog_watchdog_workers",
		"Worker processes by state.", []string{"pool", "state"}, nil)
	descWanted = prometheus.NewDesc("seadog_watchdog_workers_wanted",
		"Worker processes that there should be, without the spare.", []string{"pool"}, nil)
	descAccepting = prometheus.NewDesc("seadog_watchdog_workers_accepting",
		"Worker processes that take new work.", []string{"pool"}, nil)
	descHeartbeat = prometheus.NewDesc("seadog_watchdog_heartbeat_age_seconds",
		"Age of the oldest of the last heartbeats of workers that should beat.", []string{"pool"}, nil)
	descBacklog = prometheus.NewDesc("seadog_watchdog_backlog_connections",
		"Connections that wait to be accepted.", []string{"pool"}, nil)
	descBacklogLimit = prometheus.NewDesc("seadog_watchdog_backlog_limit_connections",
		"How many connections may wait to be accepted.", []string{"pool"}, nil)
	descConnections = prometheus.NewDesc("seadog_watchdog_connections",
		"Connections, or deployments of a runner, that workers have.", []string{"pool"}, nil)
	descBusy = prometheus.NewDesc("seadog_watchdog_requests_in_flight",
		"Requests, or steps of deployments, that are being worked on.", []string{"pool"}, nil)
	descStuck = prometheus.NewDesc("seadog_watchdog_requests_stuck",
		"Requests that were given up and have not ended yet.", []string{"pool"}, nil)
	descOldest = prometheus.NewDesc("seadog_watchdog_oldest_request_age_seconds",
		"Age of the oldest request, or step of a deployment, that is no stream; 0 if there is none.", []string{"pool"}, nil)

	descDuration = prometheus.NewDesc("seadog_http_request_duration_seconds",
		"How long requests took; for a stream, how long it lasted.", []string{"pool", "route"}, nil)
)

func descriptions() []*prometheus.Desc {
	return append([]*prometheus.Desc{
		descStart, descPassAge, descPasses, descOverslept, descLogLost,
		descKills, descRecovered, descLost, descAnswered, descMoved, descRecycles, descEnds, descIncidents,
		descLockStalls, descDump, descShed, descGates, descHangUps, descLateWrites,
		descWorkers, descWanted, descAccepting, descHeartbeat, descBacklog, descBacklogLimit,
		descConnections, descBusy, descStuck, descOldest, descDuration,
	}, workerDescriptions()...)
}

// Values of the label level.
const (
	levelSoft = "soft"
	levelHard = "hard"
)

// master is the label for the process that is in no pool.
const master = "master"

// emitter turns a snapshot into metrics.
type emitter struct{ out chan<- prometheus.Metric }

func (e emitter) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (e emitter) counter(desc *prometheus.Desc, value float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
}

func (e emitter) histogram(desc *prometheus.Desc, h scoreboard.Histogram, labels ...string) {
	buckets := map[float64]uint64{}
	var n uint64
	for i, bound := range scoreboard.Bounds() {
		n += h.Counts[i]
		buckets[bound.Seconds()] = n
	}
	e.out <- prometheus.MustNewConstHistogram(desc, h.Count(), h.Sum.Seconds(), buckets, labels...)
}

func (e emitter) master(s scoreboard.Snapshot) {
	m := s.Master
	if !m.Begun.IsZero() {
		e.gauge(descStart, float64(m.Begun.UnixMilli())/1000)
	}
	e.gauge(descPassAge, time.Duration(max(0, s.Now-m.Pass)).Seconds())
	e.counter(descPasses, float64(m.Passes))
	e.counter(descOverslept, m.Overslept.Seconds())
	e.counter(descLogLost, float64(m.Lost), master)
}

// pool shows what was counted for a pool. All that can happen is shown from the
// start, so that a rate has a zero to rise from.
func (e emitter) pool(p scoreboard.PoolState) {
	e.counter(descLogLost, float64(p.Soft[scoreboard.LogLost]), p.Name)
	e.counter(descKills, float64(p.Soft[scoreboard.SoftKills]), p.Name, levelSoft, watchdog.Harakiri.String())
	for r := watchdog.None + 1; r < watchdog.Reasons; r++ {
		if r.Kills() {
			e.counter(descKills, float64(p.Kills[r]), p.Name, levelHard, r.String())
		}
		if r.Recycles() {
			e.counter(descRecycles, float64(p.Ends[r]), p.Name, r.String())
		}
		if r.Ends() {
			e.counter(descEnds, float64(p.Ends[r]), p.Name, r.String())
		}
		if r.Incident() {
			e.counter(descIncidents, float64(p.Incidents[r]), p.Name, r.String())
		}
	}
	e.histogram(descDump, p.OwnDumps, p.Name, "worker")
	e.histogram(descDump, p.LastDumps, p.Name, master)
	for _, c := range []struct {
		desc  *prometheus.Desc
		value uint64
	}{
		{descRecovered, p.Soft[scoreboard.Recovered]},
		{descLost, p.Lost},
		{descAnswered, p.Answered},
		{descMoved, p.Moved},
		{descLockStalls, p.Soft[scoreboard.LockStalls]},
		{descShed, p.Soft[scoreboard.Shed]},
		{descGates, p.Soft[scoreboard.Gates]},
		{descHangUps, p.Soft[scoreboard.HangUps]},
		{descLateWrites, p.Soft[scoreboard.LateWrites]},
		{descCollections, p.Soft[scoreboard.Collections]},
	} {
		e.counter(c.desc, float64(c.value), p.Name)
	}
	e.counter(descCollectorCPU, time.Duration(p.Soft[scoreboard.CollectorCPU]).Seconds(), p.Name)
	e.gauge(descWanted, float64(p.Places), p.Name)
	e.gauge(descBacklog, float64(p.Backlog), p.Name)
	e.gauge(descBacklogLimit, float64(p.Limit), p.Name)
}

func (e emitter) requests(p scoreboard.PoolState, routes []histogramAt) {
	for _, r := range routes {
		e.histogram(descDuration, p.Histograms[r.at], p.Name, r.route)
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
