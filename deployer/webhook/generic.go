package webhook

import (
	"strings"

	"github.com/seadog/seadog/deployer"
)

// verifyGeneric accepts X-Signature-256: sha256=<hex HMAC-SHA256 of the body>,
// or Standard Webhooks.
func verifyGeneric(secrets []deployer.Secret, r Request) error {
	if r.Header(standardSignature) != "" {
		return verifyStandard(secrets, r)
	}
	var digests []digest
	if d, ok := hexDigest(r.Header("X-Signature-256"), "sha256="); ok {
		digests = append(digests, d)
	}
	return signed(secrets, digests, r.Body)
}

// parseGeneric reads what people write themselves, a moved ref or an image:
//
//	{"ref": "refs/heads/main", "after": "<commit>", "before": "<commit>", "repository": "a/b", "message": "…", "id": "…"}
//	{"image": "registry/app", "tag": "1.2", "digest": "sha256:…", "id": "…"}
//
// Only one of ref and after, or image and tag, is needed; commit is another
// word for after. The delivery id is taken from what is signed if possible.
func parseGeneric(r Request) (deployer.Event, error) {
	var g generic
	c := open(r.Body)
	for key := range c.members() {
		g.field(c, string(key))
	}
	e := deployer.Event{Name: "push", ID: g.id}
	if err := c.close(); err != nil {
		return e, err
	}
	if id := r.id(standardID); id != "" && r.Header(standardSignature) != "" {
		e.ID = id
	}
	if e.ID == "" {
		e.ID = r.id("Idempotency-Key", standardID)
	}
	p, err := g.push()
	if err != nil {
		return e, err
	}
	return pushed(e, p), nil
}

type generic struct {
	id, message, repository string
	ref, before, after      string
	image, tag, digest      string
}

func (g *generic) field(c *cursor, key string) {
	switch key {
	case "id":
		g.id = c.id()
	case "message":
		g.message = c.text(maxMessage)
	case "repository":
		g.repository = c.name(maxRef)
	case "ref":
		g.ref = c.name(maxRef)
	case "before":
		g.before = c.name(maxCommit)
	case "after", "commit":
		g.after = c.name(maxCommit)
	case "image":
		g.image = c.name(maxRef)
	case "tag":
		g.tag = c.name(maxRef)
	case "digest":
		g.digest = c.name(maxDigest)
	}
}

func (g *generic) push() (deployer.Push, error) {
	invalid := func(message, hint string) (deployer.Push, error) {
		return deployer.Push{}, deployer.Errorf(deployer.CodeInvalid, "%s", message).WithHint("%s", hint)
	}
	if g.image == "" {
		p, err := moved(g.ref, g.before, g.after)
		if err != nil {
			return p, err
		}
		if !p.Deleted && !deployer.ValidCommit(p.After) {
			return invalid("the field after is not a commit", "send the full id, 40 or 64 lower-case hex digits")
		}
		p.Repository = g.repository
		p.Message = deployer.ShortMessage(g.message)
		return p, nil
	}
	switch {
	case g.ref != "":
		return invalid("the fields ref and image exclude each other", "send ref and after, or image and tag")
	case g.tag == "":
		return invalid("the field tag is missing", "an image is deployed by its tag")
	case strings.HasPrefix(g.image, "refs/"):
		return invalid("the field image is not the name of an image", "send a ref in the field ref")
	}
	p := image(g.image, g.tag)
	p.Digest, p.Message = g.digest, deployer.ShortMessage(g.message)
	return p, nil
}
