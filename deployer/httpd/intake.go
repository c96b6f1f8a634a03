package httpd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
)

const (
	mostIgnored = 100 // decisions of one delivery that are recorded one by one
	longestText = 200 // bytes of a commit message that are kept
)

// sort decides, for every project of a hook and every push of an event, whether
// the project wants the push. It is pure.
func sort(h *hook, event deployer.Event) (wanted []deployer.Order, ignored []deployer.Decision) {
	left := 0
	for _, project := range h.projects {
		for _, push := range event.Pushes {
			reason, ok := refused(project, push)
			switch {
			case ok:
				wanted = append(wanted, order(project, push))
			case len(ignored) < mostIgnored:
				ignored = append(ignored, deployer.Decision{
					Project: project.Name, Ref: push.Ref, Commit: push.After,
					Verdict: deployer.VerdictIgnored, Reason: reason,
				})
			default:
				left++
			}
		}
	}
	switch {
	case left > 0:
		ignored = append(ignored, ignoredBecause(fmt.Sprintf("%d more pushes of this delivery were ignored", left)))
	case len(wanted)+len(ignored) > 0:
	case len(h.projects) == 0:
		ignored = append(ignored, ignoredBecause("the hook feeds no project"))
	case event.Kind == deployer.EventPing:
		ignored = append(ignored, ignoredBecause("ping: the hook works"))
	default:
		ignored = append(ignored, ignoredBecause(fmt.Sprintf("%q deploys nothing", event.Name)))
	}
	return wanted, ignored
}

func ignoredBecause(reason string) deployer.Decision {
	return deployer.Decision{Verdict: deployer.VerdictIgnored, Reason: reason}
}

// refused returns why project does not want push, or true if it does.
func refused(project deployer.Project, push deployer.Push) (reason string, ok bool) {
	if !push.Image() && !sameRepository(project.Repository, push.Repository) {
		return fmt.Sprintf("the project follows another repository than %s", push.Repository), false
	}
	ok, reason = project.Select.Wants(push)
	return reason, ok
}

// order asks for a deployment of what was pushed. For an image Ref is its
// name and tag, and the message names its digest.
func order(project deployer.Project, push deployer.Push) deployer.Order {
	message := push.Message
	if push.Image() {
		message = push.Digest
	}
	return deployer.Order{
		Project: project.Name,
		Trigger: deployer.TriggerPush,
		Ref:     push.Ref,
		Commit:  push.After,
		Before:  push.Before,
		Message: shorten(message, longestText),
		By:      shorten(push.Author, longestText),
	}
}

// shorten cuts s to at most n bytes without cutting a rune in two.
func shorten(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
