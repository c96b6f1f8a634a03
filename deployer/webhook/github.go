package webhook

import "github.com/seadog/seadog/deployer"

// GitHub lists this many commits and files of a commit at most.
const (
	githubCommits = 2_048
	githubFiles   = 3_000
)

func verifyGitHub(secrets []deployer.Secret, r Request) error {
	var digests []digest
	if d, ok := hexDigest(r.Header("X-Hub-Signature-256"), "sha256="); ok {
		digests = append(digests, d)
	}
	return signed(secrets, digests, r.Body)
}

// parseGitHub reads pushes and pings. Packages, releases and finished workflow
// runs are other events: they name no ref that moved, and the push behind them
// has a delivery of its own.
func parseGitHub(r Request) (deployer.Event, error) {
	return hub{
		provider: deployer.GitHub, event: "X-GitHub-Event", id: "X-GitHub-Delivery",
		listed:    func(n, _ int) bool { return n < githubCommits },
		filesEach: githubFiles,
	}.parse(r)
}
