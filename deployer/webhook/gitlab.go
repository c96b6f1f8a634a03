package webhook

import "github.com/seadog/seadog/deployer"

// verifyGitLab accepts the plain token or the newer signature: a hook may have
// either, and sends both while it moves from one to the other.
func verifyGitLab(secrets []deployer.Secret, r Request) error {
	if r.Header(standardSignature) == "" {
		return presented(secrets, r.Header("X-Gitlab-Token"))
	}
	if presented(secrets, r.Header("X-Gitlab-Token")) == nil {
		return nil
	}
	return verifyStandard(secrets, r)
}

// parseGitLab reads the pushes of project and system hooks. Its test button
// sends a real push, so it has no ping.
func parseGitLab(r Request) (deployer.Event, error) {
	e := deployer.Event{
		Kind: deployer.EventOther, Name: r.header("X-Gitlab-Event"),
		ID: r.id("Idempotency-Key", standardID, "X-Gitlab-Event-UUID"),
	}
	switch e.Name {
	case "":
		return e, missing("X-Gitlab-Event", deployer.GitLab)
	case "Push Hook", "Tag Push Hook", "System Hook":
	default:
		return e, nil
	}
	p, ok, err := gitlabPush(r.Body)
	if err != nil || !ok {
		return e, err
	}
	return pushed(e, p), nil
}

// gitlabPush returns false if the body is a system hook about something else.
func gitlabPush(body []byte) (p deployer.Push, ok bool, err error) {
	var (
		kind, ref, before, after, checkout, repository, user string
		list                                                 history
		total                                                = -1
	)
	c := open(body)
	for key := range c.members() {
		switch string(key) {
		case "object_kind", "event_name":
			kind = c.text(maxName)
		case "ref":
			ref = c.name(maxRef)
		case "before":
			before = c.name(maxCommit)
		case "after":
			after = c.name(maxCommit)
		case "checkout_sha":
			checkout = c.name(maxCommit)
		case "project":
			repository = c.member(maxRef, "path_with_namespace")
		case "user_name":
			user = c.text(maxAuthor)
		case "commits":
			list = c.commits(0)
		case "total_commits_count":
			total = c.number()
		}
	}
	if err := c.close(); err != nil {
		return p, false, err
	}
	switch kind {
	case "push", "tag_push":
	case "":
		return p, false, lacking("object_kind")
	default:
		return p, false, nil
	}
	if p, err = moved(ref, before, after); err != nil {
		return p, false, err
	}
	if checkout != "" && !p.Deleted {
		p.After = checkout // after is the tag object of an annotated tag
	}
	p.Repository = repository
	head, _ := list.find(body, p.After)
	describe(&p, head)
	if p.Author == "" {
		p.Author = user
	}
	// At most 20 commits are listed. A forced push is not marked as one: files
	// that only the commits it dropped had changed are not named.
	cover(&p, list, list.count == total)
	return p, true, nil
}
