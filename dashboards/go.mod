module github.com/seadog/seadog/dashboards

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/google/go-cmp v0.7.0
	github.com/grafana/grafana-foundation-sdk/go v0.0.12
	go.uber.org/goleak v1.3.0
)
