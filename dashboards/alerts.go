package dashboards

import "slices"

// Alerts returns all alerts, those about deployments first.
func Alerts() []Alert {
	return slices.Concat(
		queueAlerts(), outcomeAlerts(), webhookAlerts(),
		downAlerts(), killAlerts(), recycleAlerts(), leakAlerts(),
		engineAlerts(), storeAlerts(), loadAlerts(),
	)
}
