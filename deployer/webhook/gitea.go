package webhook

import "github.com/seadog/seadog/deployer"

func verifyGitea(secrets []deployer.Secret, r Request) error {
	return verifyPayload(secrets, r, "X-Gitea-Signature")
}

func parseGitea(r Request) (deployer.Event, error) {
	return hub{
		provider: deployer.Gitea, event: "X-Gitea-Event", id: "X-Gitea-Delivery",
		listed: allListed, testsHead: true,
	}.parse(r)
}

// allListed is true if the payload says how many commits were pushed, and lists
// as many. Gitea and Forgejo list five by default.
func allListed(n, total int) bool { return n == total }

// verifyPayload checks the signature of Gitea and its relatives, bare in the
// named header and prefixed in GitHub's. They sign the JSON, also when they send it inside of a form.
func verifyPayload(secrets []deployer.Secret, r Request, header string) error {
	var digests []digest
	if d, ok := hexDigest(r.Header(header), ""); ok {
		digests = append(digests, d)
	}
	if d, ok := hexDigest(r.Header("X-Hub-Signature-256"), "sha256="); ok {
		digests = append(digests, d)
	}
	if len(digests) == 0 {
		return errNoSignature
	}
	message := r.Body
	if r.isForm() {
		var err error
		if message, err = formPayload(r.Body); err != nil {
			return err
		}
	}
	return signed(secrets, digests, message)
}
