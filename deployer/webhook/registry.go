package webhook

import (
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// verifyRegistry expects the header that the registry's configuration names
// for its notifications endpoint: Authorization: Bearer <secret>.
func verifyRegistry(secrets []deployer.Secret, r Request) error {
	scheme, token, _ := strings.Cut(r.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errNoToken
	}
	return presented(secrets, strings.TrimSpace(token))
}

// parseRegistry reads an envelope of notifications. Only a manifest pushed to a
// tag is a push: the layers before it, pulls and mounts are not.
func parseRegistry(r Request) (deployer.Event, error) {
	e := deployer.Event{Kind: deployer.EventOther, Name: "notification"}
	var pushes []deployer.Push
	var listed bool
	c := open(r.Body)
	for key := range c.members() {
		if string(key) != "events" {
			continue
		}
		listed = true
		for range c.elements() {
			n := c.notification()
			if e.ID == "" || n.tagged() && len(pushes) == 0 {
				e.ID = n.id // that of the first push, else that of the first notification
			}
			if n.tagged() && len(pushes) < maxPushes {
				pushes = append(pushes, n.push())
			}
		}
	}
	if err := c.close(); err != nil {
		return e, err
	}
	if !listed {
		return e, lacking("events")
	}
	if len(pushes) > 0 {
		e.Name = "push"
	}
	return pushed(e, pushes...), nil
}

type notification struct {
	id, action, actor              string
	media, repository, tag, digest string
	time                           time.Time
}

func (n notification) tagged() bool {
	manifest := strings.Contains(n.media, ".manifest.") || strings.Contains(n.media, ".index.")
	return n.action == "push" && manifest && n.repository != "" && n.tag != ""
}

func (n notification) push() deployer.Push {
	p := image(n.repository, n.tag)
	p.Digest, p.Author, p.Time = n.digest, n.actor, n.time
	return p
}

// image returns the push of a tag of an image.
func image(name, tag string) deployer.Push {
	return deployer.Push{Repository: name, Ref: marked(name+":"+tag, maxRef)}
}

func (c *cursor) notification() notification {
	var n notification
	for key := range c.members() {
		switch string(key) {
		case "id":
			n.id = c.id()
		case "action":
			n.action = c.text(maxName)
		case "timestamp":
			n.time = c.time()
		case "actor":
			n.actor = c.member(maxAuthor, "name")
		case "target":
			for key := range c.members() {
				switch string(key) {
				case "mediaType":
					n.media = c.text(maxName)
				case "repository":
					n.repository = c.name(maxRef)
				case "tag":
					n.tag = c.name(maxRef)
				case "digest":
					n.digest = c.name(maxDigest)
				}
			}
		}
	}
	return n
}
