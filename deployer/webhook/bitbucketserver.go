package webhook

import (
	"time"

	"github.com/seadog/seadog/deployer"
)

func verifyBitbucketServer(secrets []deployer.Secret, r Request) error {
	return verifyHubSignature(secrets, r)
}

// parseBitbucketServer reads pushes of any number of refs. Changed files and
// forced pushes are not part of the payload.
func parseBitbucketServer(r Request) (deployer.Event, error) {
	e := deployer.Event{Kind: deployer.EventOther, Name: r.header("X-Event-Key"), ID: r.id("X-Request-Id")}
	switch e.Name {
	case "":
		return e, missing("X-Event-Key", deployer.BitbucketServer)
	case "diagnostics:ping":
		e.Kind = deployer.EventPing
		return e, nil
	case "repo:refs_changed":
	default:
		return e, nil
	}
	var (
		pushes            []deployer.Push
		repository, actor string
		head              commit
		listed            bool
	)
	c := open(r.Body)
	for key := range c.members() {
		switch string(key) {
		case "changes":
			pushes, listed = c.serverChanges(), true
		case "repository":
			repository = c.serverRepository()
		case "actor":
			actor = c.member(maxAuthor, "displayName", "name")
		case "toCommit":
			head = c.serverCommit()
		}
	}
	if err := c.close(); err != nil {
		return e, err
	}
	if !listed {
		return e, lacking("changes")
	}
	for i := range pushes {
		p := &pushes[i]
		p.Repository = repository
		if p.After != "" && p.After == head.id {
			describe(p, head)
		}
		if p.Author == "" {
			p.Author = actor
		}
	}
	return pushed(e, pushes...), nil
}

func (c *cursor) serverChanges() []deployer.Push {
	var pushes []deployer.Push
	for range c.elements() {
		if len(pushes) == maxPushes {
			continue
		}
		var ref, from, to, kind string
		for key := range c.members() {
			switch string(key) {
			case "refId":
				ref = c.name(maxRef)
			case "ref":
				if id := c.member(maxRef, "id"); ref == "" {
					ref = id
				}
			case "fromHash":
				from = c.name(maxCommit)
			case "toHash":
				to = c.name(maxCommit)
			case "type":
				kind = c.text(maxName)
			}
		}
		p, err := moved(ref, from, to)
		if err != nil && c.err == nil {
			c.fail("the field changes must name refId, fromHash and toHash of every ref")
		}
		mark(&p, kind == "ADD", kind == "DELETE")
		pushes = append(pushes, p)
	}
	return pushes
}

// serverRepository returns PROJECT/slug, which is how clone URLs name it.
func (c *cursor) serverRepository() string {
	var project, slug string
	for key := range c.members() {
		switch string(key) {
		case "slug":
			slug = c.name(maxRef)
		case "project":
			project = c.member(maxRef, "key")
		}
	}
	return marked(project+"/"+slug, maxRef)
}

func (c *cursor) serverCommit() commit {
	var m commit
	for key := range c.members() {
		switch string(key) {
		case "id":
			m.id = c.name(maxCommit)
		case "message":
			m.message = c.text(maxMessage)
		case "author":
			m.author = c.member(maxAuthor, "displayName", "name")
		case "authorTimestamp":
			if ms := c.number(); ms > 0 {
				m.time = time.UnixMilli(int64(ms)).UTC()
			}
		}
	}
	return m
}
