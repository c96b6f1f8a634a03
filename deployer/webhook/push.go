package webhook

import (
	"strings"

	"github.com/seadog/seadog/deployer"
)

// pushed adds pushes to an event, at most maxPushes of them. Without any, the
// delivery deploys nothing.
func pushed(e deployer.Event, pushes ...deployer.Push) deployer.Event {
	if len(pushes) > 0 {
		e.Kind, e.Pushes = deployer.EventPush, pushes[:min(len(pushes), maxPushes)]
	}
	return e
}

// missing is the error for a header without which a delivery cannot be read.
func missing(header string, p deployer.Provider) error {
	return deployer.Errorf(deployer.CodeInvalid, "the header %s is missing", header).
		WithHint("%s sends it with every delivery; check the provider of the hook, and proxies in between", p)
}

// lacking is the error for a body without a field that every push of its provider has.
func lacking(field string) error {
	return deployer.Errorf(deployer.CodeInvalid, "the field %s is missing", field).
		WithHint("check that the hook is configured for the provider that sends this")
}

// zeros reports whether an object name stands for "no object".
func zeros(id string) bool { return id != "" && strings.Trim(id, "0") == "" }

// moved returns the push that moved ref from one commit to another, either of
// which may be no object. It fails on what every forge must send.
func moved(ref, before, after string) (deployer.Push, error) {
	p := deployer.Push{Ref: ref, Before: before, After: after}
	switch {
	case ref == "":
		return p, deployer.Errorf(deployer.CodeInvalid, "the field ref is missing").WithHint("a push names its ref, such as refs/heads/main")
	case !strings.HasPrefix(ref, "refs/"):
		return p, deployer.Errorf(deployer.CodeInvalid, "the field ref is not a full name").WithHint("send refs/heads/main rather than main")
	case after == "":
		return p, deployer.Errorf(deployer.CodeInvalid, "the field after is missing").WithHint("a push names the commit that its ref moved to, or zeros for a deletion")
	}
	mark(&p, zeros(before), zeros(after))
	return p, nil
}

// mark notes that the ref of p is new or gone, and that there is no commit on that side then.
func mark(p *deployer.Push, created, deleted bool) {
	if created {
		p.Created, p.Before = true, ""
	}
	if deleted {
		p.Deleted, p.After = true, ""
	}
}

// fullRef returns the full name of a branch or tag from its short one.
func fullRef(tag bool, name string) string {
	if tag {
		return "refs/tags/" + name
	}
	return "refs/heads/" + name
}
