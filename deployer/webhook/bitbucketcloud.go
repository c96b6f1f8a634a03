package webhook

import (
	"strings"

	"github.com/seadog/seadog/deployer"
)

func verifyBitbucketCloud(secrets []deployer.Secret, r Request) error {
	return verifyHubSignature(secrets, r)
}

// verifyHubSignature checks Bitbucket's SHA-256 in the header in which others send SHA-1.
func verifyHubSignature(secrets []deployer.Secret, r Request) error {
	var digests []digest
	if d, ok := hexDigest(r.Header("X-Hub-Signature"), "sha256="); ok {
		digests = append(digests, d)
	}
	return signed(secrets, digests, r.Body)
}

// parseBitbucketCloud reads pushes of any number of refs. Changed files are not part of the payload.
func parseBitbucketCloud(r Request) (deployer.Event, error) {
	e := deployer.Event{Kind: deployer.EventOther, Name: r.header("X-Event-Key"), ID: r.id("X-Request-UUID")}
	switch e.Name {
	case "":
		return e, missing("X-Event-Key", deployer.BitbucketCloud)
	case "repo:push":
	default:
		return e, nil
	}
	var (
		pushes            []deployer.Push
		repository, actor string
		listed            bool
	)
	c := open(r.Body)
	for key := range c.members() {
		switch string(key) {
		case "push":
			pushes, listed = c.cloudPush(), true
		case "repository":
			repository = c.member(maxRef, "full_name")
		case "actor":
			actor = c.member(maxAuthor, "display_name", "nickname")
		}
	}
	if err := c.close(); err != nil {
		return e, err
	}
	if !listed {
		return e, lacking("push")
	}
	for i := range pushes {
		pushes[i].Repository = repository
		if pushes[i].Author == "" {
			pushes[i].Author = actor
		}
	}
	return pushed(e, pushes...), nil
}

func (c *cursor) cloudPush() []deployer.Push {
	var pushes []deployer.Push
	for key := range c.members() {
		if string(key) != "changes" {
			continue
		}
		for range c.elements() {
			if len(pushes) == maxPushes {
				continue
			}
			if p, ok := c.cloudChange(); ok {
				pushes = append(pushes, p)
			}
		}
	}
	return pushes
}

// cloudState is one side of a change: what a ref was, or is; ref is "" if it was, or is, not.
type cloudState struct {
	ref  string
	head commit
}

// cloudChange reads one moved ref. It returns false for a change of no ref.
func (c *cursor) cloudChange() (deployer.Push, bool) {
	var p deployer.Push
	var was, is cloudState
	for key := range c.members() {
		switch string(key) {
		case "old":
			was = c.cloudState()
		case "new":
			is = c.cloudState()
		case "forced":
			p.Forced = c.flag()
		}
	}
	p.Ref, p.Before, p.After = is.ref, was.head.id, is.head.id
	p.Created = was.ref == ""
	if is.ref == "" {
		p.Ref, p.Deleted, p.Created = was.ref, true, false
	}
	describe(&p, is.head)
	return p, p.Ref != ""
}

func (c *cursor) cloudState() cloudState {
	var kind, name string
	var s cloudState
	for key := range c.members() {
		switch string(key) {
		case "type":
			kind = c.text(maxName)
		case "name":
			name = c.name(maxRef)
		case "target":
			s.head = c.cloudCommit()
		}
	}
	if name != "" {
		s.ref = marked(fullRef(kind == "tag" || kind == "annotated_tag", name), maxRef)
	}
	return s
}

func (c *cursor) cloudCommit() commit {
	var m commit
	var raw string
	for key := range c.members() {
		switch string(key) {
		case "hash":
			m.id = c.name(maxCommit)
		case "message":
			m.message = c.text(maxMessage)
		case "date":
			m.time = c.time()
		case "author":
			for key := range c.members() {
				switch string(key) {
				case "raw": // Name <address>
					raw, _, _ = strings.Cut(c.text(maxAuthor), " <")
				case "user":
					m.author = c.member(maxAuthor, "display_name")
				}
			}
		}
	}
	if m.author == "" {
		m.author = raw
	}
	return m
}
