package webhook

import (
	"time"

	"github.com/seadog/seadog/deployer"
)

// verifyDockerHub compares the path: Docker Hub signs nothing and sends no header of ours.
func verifyDockerHub(secrets []deployer.Secret, r Request) error {
	return presented(secrets, r.Token)
}

// parseDockerHub reads the push of a tag. Docker Hub numbers its deliveries not
// at all, and its callback_url is never called: the sender could point it anywhere.
func parseDockerHub(r Request) (deployer.Event, error) {
	e := deployer.Event{Name: "push"}
	var (
		name, tag, pusher string
		at                time.Time
	)
	c := open(r.Body)
	for key := range c.members() {
		switch string(key) {
		case "repository":
			name = c.member(maxRef, "repo_name")
		case "push_data":
			for key := range c.members() {
				switch string(key) {
				case "tag":
					tag = c.name(maxRef)
				case "pusher":
					pusher = c.text(maxAuthor)
				case "pushed_at":
					at = time.Unix(int64(c.number()), 0).UTC()
				}
			}
		}
	}
	if err := c.close(); err != nil {
		return e, err
	}
	switch {
	case name == "":
		return e, lacking("repository.repo_name")
	case tag == "":
		return e, lacking("push_data.tag")
	}
	p := image(name, tag)
	p.Author, p.Time = pusher, at
	return pushed(e, p), nil
}
