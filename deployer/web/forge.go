package web

import "github.com/seadog/seadog/deployer"

// setup is how a sender is told about a hook.
type setup struct {
	Forge string
	Where string // to click
	Steps []setupStep
	Note  string
}

type setupStep struct{ Field, Value string }

// Values that a page puts in.
const (
	valueURL    = "URL"
	valueSecret = "SECRET"
)

// setupOf says what to fill in where. What each forge signs and sends is known
// to package webhook.
func setupOf(p deployer.Provider) setup {
	json := setupStep{"Content type", "application/json"}
	switch p {
	case deployer.GitHub:
		return setup{"GitHub", "Settings → Webhooks → Add webhook", []setupStep{
			{"Payload URL", valueURL}, json, {"Secret", valueSecret}, {"Events", "just the push event"},
		}, "GitHub gives up after 10 seconds and does not try again by itself: a delivery that it lists as failed can be sent again there."}
	case deployer.GitLab:
		return setup{"GitLab", "Settings → Webhooks → Add new webhook", []setupStep{
			{"URL", valueURL},
			{"Secret token, or signing token", valueSecret},
			{"Trigger", "push events; tag push events if tags are deployed"},
			{"SSL verification", "enabled"},
		}, "After four failures in a row GitLab pauses a hook; it says so in its list."}
	case deployer.Gitea, deployer.Forgejo, deployer.Gogs:
		name := map[deployer.Provider]string{deployer.Gitea: "Gitea", deployer.Forgejo: "Forgejo", deployer.Gogs: "Gogs"}[p]
		return setup{name, "Settings → Webhooks → Add webhook → " + name, []setupStep{
			{"Target URL", valueURL}, {"HTTP method", "POST"}, {"Content type", "application/json"}, {"Secret", valueSecret}, {"Trigger on", "push events"},
		}, "If it runs on the same network, its ALLOWED_HOST_LIST has to allow this host."}
	case deployer.BitbucketCloud:
		return setup{"Bitbucket Cloud", "Repository settings → Webhooks → Add webhook", []setupStep{
			{"URL", valueURL}, {"Secret", valueSecret}, {"Triggers", "repository push"},
		}, ""}
	case deployer.BitbucketServer:
		return setup{"Bitbucket Server", "Repository settings → Webhooks → Create webhook", []setupStep{
			{"URL", valueURL}, {"Secret", valueSecret}, {"Events", "repository: push"},
		}, "Its connection test is answered as a ping."}
	case deployer.DockerHub:
		return setup{
			"Docker Hub", "Repository → Webhooks",
			[]setupStep{{"Webhook URL", valueURL}},
			"Docker Hub cannot sign: put the hook's secret in place of SECRET. Whoever knows the URL can deploy, so keep it out of tickets and chats.",
		}
	case deployer.Registry:
		return setup{"a registry", "the registry's configuration, notifications.endpoints", []setupStep{
			{"url", valueURL}, {"headers", "Authorization: [Bearer " + valueSecret + "]"}, {"timeout", "5s"}, {"threshold", "5"}, {"backoff", "10s"},
		}, "Put the secret of this hook in place of SECRET. Pushes of images whose name and tag a project follows deploy it."}
	case deployer.Generic:
	}
	return setup{"anything else", "whatever sends it", []setupStep{
		{"POST", valueURL},
		json,
		{"Header X-Signature-256", "sha256=HMAC-SHA256 of the body with the secret, in hex"},
		{"Body", `{"ref":"refs/heads/main","after":"<commit>"}`},
	}, "A field id in the body, or a header Idempotency-Key, makes repetitions harmless."}
}
