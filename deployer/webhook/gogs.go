package webhook

import "github.com/seadog/seadog/deployer"

func verifyGogs(secrets []deployer.Secret, r Request) error {
	return verifyPayload(secrets, r, "X-Gogs-Signature")
}

// parseGogs never takes the list of commits for complete: Gogs cuts it at a
// length that its administrator chooses, and does not say so.
func parseGogs(r Request) (deployer.Event, error) {
	return hub{
		provider: deployer.Gogs, event: "X-Gogs-Event", id: "X-Gogs-Delivery",
		listed: func(_, _ int) bool { return false }, testsHead: true,
	}.parse(r)
}
