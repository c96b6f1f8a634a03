// Package dashboards is what people look at: the Grafana dashboards of seadog and
// the Prometheus rules that go with them, written once, in Go.
//
// The files that Grafana and Prometheus read are generated from it and committed:
//
//	grafana/boards/*.json     one dashboard each
//	prometheus/rules.yml      recording rules and alerts, with what to do about each
//	compose.yaml              Prometheus and Grafana, provisioned with all of it
//
// `make dashboards` writes them anew. Tests hold the files against this package,
// every name against those that seadog exports (cmd/seadog/testdata/metrics.txt),
// every query and rule against a real Prometheus that scraped a real run, and
// the alerts against a history (promtool test rules).
//
// It is a module of its own, so that seadog does not depend on what draws it.
package dashboards

//go:generate go run ./generate
