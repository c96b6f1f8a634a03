package web

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
)

// words turns an identifier of the API into English.
func words(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") }

// sentence makes one of what errors and reasons say: they begin small, because
// others put words before them.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[size:], ".") + "."
}

// tone is how good or bad a deployment stands, for colour and sign. The words
// beside it say the same.
func tone(d deployer.Deployment) string {
	switch {
	case d.Status == deployer.Running && d.StalledSince != nil:
		return "warn"
	case d.Status == deployer.Running:
		return "busy"
	case d.Status == deployer.Queued:
		return "wait"
	case d.Status == deployer.Succeeded:
		return "good"
	case d.Status == deployer.Superseded || d.Status == deployer.Canceled:
		return "idle"
	case d.Status == deployer.Interrupted:
		return "warn"
	}
	return "bad"
}

// standing says in two or three words where a deployment stands.
func standing(d deployer.Deployment) string {
	switch {
	case d.Status == deployer.Running && d.CancelBy != "":
		return "canceling"
	case d.Status == deployer.Running && d.StalledSince != nil:
		return "stalled"
	case d.Outcome == deployer.OutcomeRolledBack, d.Outcome == deployer.OutcomeRollbackFailed:
		return words(d.Outcome)
	}
	return words(d.Status)
}

// aftermath says what a deployment without success left behind.
func aftermath(o deployer.Outcome) string {
	switch o {
	case deployer.OutcomeUntouched:
		return "Nothing that runs was touched."
	case deployer.OutcomeRolledBack:
		return "The last healthy deployment runs again."
	case deployer.OutcomeRollbackFailed:
		return "The rollback failed as well: the project needs a person."
	case deployer.OutcomeLeft:
		return "The project was left as the failure left it."
	case deployer.OutcomeNone:
	}
	return ""
}

// trigger says why a deployment was made.
func trigger(d deployer.Deployment) string {
	switch d.Trigger {
	case deployer.TriggerPush:
		return "push"
	case deployer.TriggerManual:
		return "asked for"
	case deployer.TriggerRedeploy:
		return "redeploy"
	case deployer.TriggerRollback:
		return "rollback"
	case deployer.TriggerRetry:
		return "second attempt"
	case deployer.TriggerSweep:
		return "missed push"
	}
	return words(d.Trigger)
}

// decided answers "why did, or didn't, this push deploy?" in a few words; the
// reason says the rest.
func decided(d deployer.Decision) string {
	switch d.Verdict {
	case deployer.VerdictQueued:
		return "deploys"
	case deployer.VerdictCoalesced:
		return "joined a waiting deployment"
	case deployer.VerdictDeferred:
		return "waits behind a lock"
	case deployer.VerdictDuplicate:
		return "seen before"
	case deployer.VerdictIgnored:
	}
	return words(d.Verdict)
}

// reportTone is how good or bad the verdict of a load test is: what is neither a
// pass nor a failure says nothing about the service.
func reportTone(verdict string) string {
	switch {
	case verdict == "PASS":
		return "good"
	case strings.HasPrefix(verdict, "FAIL"):
		return "bad"
	}
	return "warn"
}

func verdictTone(v deployer.Verdict) string {
	switch {
	case v == deployer.VerdictDeferred:
		return "wait"
	case v.Deploys():
		return "good"
	}
	return "idle"
}

// revision says what a deployment deploys: "main @ 3f2a9c1d".
func revision(d deployer.Deployment) string {
	switch {
	case d.Commit == "":
		return shortRef(d.Ref)
	case d.Ref == "":
		return shortCommit(d.Commit)
	}
	return shortRef(d.Ref) + " @ " + shortCommit(d.Commit)
}

func shortCommit(c string) string { return c[:min(len(c), 8)] }

// shortRef is how people call a ref.
func shortRef(ref string) string {
	if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return branch
	}
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return "tag " + tag
	}
	return ref
}

// commitURL is where the forge shows a commit, "" if that cannot be told. It is
// made of the configured repository, never of what a delivery claims.
func (u *UI) commitURL(d deployer.Deployment) string {
	p, err := u.cfg.Desk.Configured(d.Project)
	if err != nil || d.Commit == "" || p.Repository == "" {
		return ""
	}
	return commitURL(desk.WithoutCredentials(p.Repository), d.Commit)
}

// commitURL knows the forges that most people use; of others, the path of a
// commit is a guess that would lead to nowhere.
func commitURL(repository, commit string) string {
	host, path := "", ""
	if u, err := url.Parse(repository); err == nil && u.Host != "" {
		host, path = u.Hostname(), u.Path
	} else if user, rest, ok := strings.Cut(repository, ":"); ok {
		host, path = user[strings.IndexByte(user, '@')+1:], rest
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	between := map[string]string{
		"github.com": "/commit/", "gitlab.com": "/-/commit/", "codeberg.org": "/commit/", "bitbucket.org": "/commits/",
	}[host]
	if between == "" || path == "" {
		return ""
	}
	return (&url.URL{Scheme: "https", Host: host, Path: "/" + path + between + commit}).String()
}
