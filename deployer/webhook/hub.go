package webhook

import "github.com/seadog/seadog/deployer"

// hub is what GitHub and the forges that follow it differ in.
type hub struct {
	provider  deployer.Provider
	event, id string // headers
	// listed reports whether a list of n commits, of which the payload says
	// that there are total (-1 if it says nothing), names every pushed one.
	listed    func(n, total int) bool
	filesEach int  // files named per commit at most, 0 if all are
	testsHead bool // the test button sends a push that moves nothing
}

func (h hub) parse(r Request) (deployer.Event, error) {
	e := deployer.Event{Kind: deployer.EventOther, Name: r.header(h.event), ID: r.id(h.id)}
	switch e.Name {
	case "":
		return e, missing(h.event, h.provider)
	case "ping":
		e.Kind = deployer.EventPing
		return e, nil
	case "push":
	default:
		return e, nil
	}
	body, err := r.document()
	if err != nil {
		return e, err
	}
	p, err := h.push(body)
	if err != nil {
		return e, err
	}
	if h.testsHead && p.Before == p.After {
		e.Kind = deployer.EventPing
		return e, nil
	}
	return pushed(e, p), nil
}

func (h hub) push(body []byte) (deployer.Push, error) {
	var (
		ref, before, after, repository, pusher string
		created, deleted, forced               bool
		list                                   history
		head                                   commit
		total                                  = -1
	)
	c := open(body)
	for key := range c.members() {
		switch string(key) {
		case "ref":
			ref = c.name(maxRef)
		case "before":
			before = c.name(maxCommit)
		case "after":
			after = c.name(maxCommit)
		case "created":
			created = c.flag()
		case "deleted":
			deleted = c.flag()
		case "forced":
			forced = c.flag()
		case "commits":
			list = c.commits(h.filesEach)
		case "total_commits":
			total = c.number()
		case "head_commit":
			head = c.commit()
		case "repository":
			repository = c.member(maxRef, "full_name")
		case "pusher":
			pusher = c.member(maxAuthor, "name", "login", "username")
		}
	}
	if err := c.close(); err != nil {
		return deployer.Push{}, err
	}
	p, err := moved(ref, before, after)
	if err != nil {
		return p, err
	}
	p.Repository = repository
	p.Forced = forced
	mark(&p, created, deleted)
	if head.id == "" {
		head, _ = list.find(body, p.After)
	}
	if _, tag := p.Tag(); tag && deployer.ValidCommit(head.id) {
		p.After = head.id // after is the tag object of an annotated tag
	}
	describe(&p, head)
	if p.Author == "" {
		p.Author = pusher
	}
	cover(&p, list, h.listed(list.count, total))
	return p, nil
}
