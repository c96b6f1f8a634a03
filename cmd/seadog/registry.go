package main

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	wmetrics "github.com/seadog/seadog/watchdog/metrics"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// registry is everything that /metrics shows: what the deployer counts, what the
// watchdog sees, and the admin process itself.
type registry struct {
	*prometheus.Registry
	deployer *metrics.Collector
	watchdog *wmetrics.Collector
}

// source is what a registry collects from.
type source struct {
	board     *scoreboard.Board
	store     deployer.Store
	engine    func() metrics.Engine // without Refused
	providers []deployer.Provider
}

func newRegistry(s source) (*registry, error) {
	r := &registry{Registry: prometheus.NewRegistry()}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	table := counterTable()
	var err error
	r.deployer, err = metrics.New(r, metrics.Config{
		Version:   versionText(),
		Providers: s.providers,
		Store:     s.store,
		Counters:  func() metrics.Counters { return countersOf(table, s.board) },
		Engine: func() metrics.Engine {
			e := s.engine()
			e.Refused = refusals(table, s.board)
			return e
		},
	})
	if err != nil {
		return nil, err
	}
	r.watchdog, err = wmetrics.New(r, wmetrics.Config{
		Board: s.board, Routes: map[string][]string{poolHTTP: httpRoutes()},
	})
	return r, err
}

// providersOf returns who sends webhooks, as the configuration has it.
func providersOf(cfg *config.Config) []deployer.Provider {
	var providers []deployer.Provider
	for _, h := range cfg.Hooks {
		if !slices.Contains(providers, h.Provider) {
			providers = append(providers, h.Provider)
		}
	}
	return providers
}
