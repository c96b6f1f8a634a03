package webhook

import "github.com/seadog/seadog/deployer"

func verifyForgejo(secrets []deployer.Secret, r Request) error {
	return verifyPayload(secrets, r, "X-Forgejo-Signature")
}

func parseForgejo(r Request) (deployer.Event, error) {
	return hub{
		provider: deployer.Forgejo, event: "X-Forgejo-Event", id: "X-Forgejo-Delivery",
		listed: allListed, testsHead: true,
	}.parse(r)
}
