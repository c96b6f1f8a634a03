package webhook_test

import (
	"testing"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/webhook"
)

// everything follows all that a payload can announce.
var everything = deployer.Selector{Branches: []string{"**"}, Tags: []string{"**"}, Images: []string{"**"}}

// What the published GitHub payloads lead to, for a project that follows
// everything and for one that only follows its main branches.
func TestPublishedGitHubPayloadsLeadToTheRightDecision(t *testing.T) {
	t.Parallel()
	follows := deployer.Selector{Branches: []string{"main", "master"}}
	for _, test := range []struct {
		name   string
		kind   deployer.EventKind
		any    bool
		main   bool
		reason string // why the project that only follows main branches does not deploy
	}{
		{"ping", deployer.EventPing, false, false, ""},
		{"push-new-branch", deployer.EventPush, true, true, ""},
		{"push-tag-delete", deployer.EventPush, false, false, "refs/tags/simple-tag was deleted"},
		{"push-tag-delete-organization", deployer.EventPush, false, false, "refs/tags/simple-tag was deleted"},
		{"package-published-docker", deployer.EventOther, false, false, ""},
		{"release-released", deployer.EventOther, false, false, ""},
		{"workflow_run-completed", deployer.EventOther, false, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := parse(t, deployer.GitHub, test.name)
			if e.Kind != test.kind {
				t.Fatalf("kind is %s, want %s", e.Kind, test.kind)
			}
			if got, _ := wanted(everything, e); got != test.any {
				t.Errorf("a project that follows everything: %v, want %v", got, test.any)
			}
			if got, reason := wanted(follows, e); got != test.main || reason != test.reason {
				t.Errorf("a project that follows main: %v %q, want %v %q", got, reason, test.main, test.reason)
			}
		})
	}
}

func TestPayloadsLeadToTheRightDecision(t *testing.T) {
	t.Parallel()
	main := deployer.Selector{Branches: []string{"main"}}
	web := deployer.Selector{Branches: []string{"main"}, Paths: []string{"web/**"}}
	docs := deployer.Selector{Branches: []string{"main"}, Paths: []string{"docs/**"}}
	tags := deployer.Selector{Tags: []string{"v*"}}
	for _, test := range []struct {
		provider deployer.Provider
		name     string
		selector deployer.Selector
		want     bool
	}{
		{deployer.GitHub, "push", main, true},
		{deployer.GitHub, "push", web, true},
		{deployer.GitHub, "push", docs, false},
		{deployer.GitHub, "push", tags, false},
		{deployer.GitHub, "push-feature-main", main, false},
		{deployer.GitHub, "push-forced", docs, true}, // what a forced push dropped is not named
		{deployer.GitHub, "push-branch-delete", everything, false},
		{deployer.GitHub, "push-annotated-tag", tags, true},
		{deployer.GitHub, "push-skip-behind-cut", main, false},
		{deployer.GitHub, "push-without-file-lists", docs, true},
		{deployer.GitHub, "ping-organization", everything, false},
		{deployer.GitLab, "push", docs, false},
		{deployer.GitLab, "push-more-than-listed", docs, true},
		{deployer.GitLab, "push-branch-delete", everything, false},
		{deployer.GitLab, "push-new-branch", main, false},
		{deployer.GitLab, "tag-push-annotated", tags, true},
		{deployer.GitLab, "tag-delete", everything, false},
		{deployer.GitLab, "system-push", docs, true},
		{deployer.GitLab, "system-repository-update", everything, false},
		{deployer.Gitea, "push", docs, true},
		{deployer.Gitea, "push-test", everything, false},
		{deployer.Gitea, "push-more-than-listed", docs, true},
		{deployer.Gitea, "push-tag-delete", everything, false},
		{deployer.Forgejo, "push", main, true},
		{deployer.Gogs, "push", docs, true},
		{deployer.BitbucketCloud, "push-several-refs", main, true},
		{deployer.BitbucketCloud, "push-several-refs", tags, true},
		{deployer.BitbucketCloud, "push-nothing", everything, false},
		{deployer.BitbucketServer, "push", main, false}, // its message says [skip deploy]
		{deployer.BitbucketServer, "push-several-refs", main, true},
		{deployer.Registry, "push-several-events", deployer.Selector{Images: []string{"acme/shop:1.*"}}, true},
		{deployer.Registry, "push-several-events", deployer.Selector{Images: []string{"acme/shop:latest"}}, false},
		{deployer.Registry, "push-several-events", main, false},
		{deployer.Registry, "pull", everything, false},
		{deployer.DockerHub, "push", deployer.Selector{Images: []string{"acme/shop:latest"}}, true},
		{deployer.Generic, "push", main, true},
		{deployer.Generic, "push-delete", everything, false},
		{deployer.Generic, "image", deployer.Selector{Images: []string{"registry.example.com:5000/acme/*:1.*"}}, true},
	} {
		if got, reason := wanted(test.selector, parse(t, test.provider, test.name)); got != test.want {
			t.Errorf("%s/%s for %+v: %v (%s), want %v", test.provider, test.name, test.selector, got, reason, test.want)
		}
	}
}

func parse(t *testing.T, p deployer.Provider, name string) deployer.Event {
	t.Helper()
	e, err := webhook.Parse(p, load(t, p, name).request())
	if err != nil {
		t.Fatalf("%s/%s: %v", p, name, err)
	}
	return e
}

// wanted reports whether s wants any push of e, and why not the last one.
func wanted(s deployer.Selector, e deployer.Event) (ok bool, reason string) {
	for _, p := range e.Pushes {
		if ok, reason = s.Wants(p); ok {
			return true, ""
		}
	}
	return false, reason
}
