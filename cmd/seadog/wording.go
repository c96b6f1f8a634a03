package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// statusCell says in two words where a deployment stands.
func statusCell(d deployer.Deployment) cell {
	switch {
	case d.Status == deployer.Running && d.CancelBy != "":
		return cell{"canceling", yellow}
	case d.Status == deployer.Running && d.StalledSince != nil:
		return cell{fmt.Sprintf("stalled in %s", d.Step), yellow}
	case d.Status == deployer.Running:
		return cell{strings.TrimSpace("running " + string(d.Step)), cyan}
	case d.Status == deployer.Queued:
		return cell{"queued", yellow}
	case d.Status == deployer.Succeeded:
		return cell{"succeeded", green}
	case d.Status == deployer.Superseded || d.Status == deployer.Canceled:
		return cell{string(d.Status), dim}
	case d.Outcome == deployer.OutcomeRolledBack || d.Outcome == deployer.OutcomeRollbackFailed:
		return cell{words(d.Status) + ", " + words(d.Outcome), red}
	}
	return cell{words(d.Status), red}
}

// words turns an identifier of the API into English.
func words[T ~string](s T) string { return strings.ReplaceAll(string(s), "_", " ") }

// placedLine says what became of a request for a deployment.
func placedLine(p deployer.Placed) string {
	d := fmt.Sprintf("deployment %d of %s", p.Deployment.ID, p.Deployment.Project)
	switch p.Verdict {
	case deployer.VerdictDeferred:
		return printable(because(d+" waits", p.Reason))
	case deployer.VerdictCoalesced:
		return printable(because("became part of "+d, p.Reason))
	case deployer.VerdictDuplicate:
		return printable(because("duplicate of "+d, p.Reason))
	}
	return printable(because(d+" queued", p.Reason))
}

// endLine says how a deployment ended, why, and what it left behind.
func endLine(d deployer.Deployment) string {
	s := fmt.Sprintf("deployment %d of %s ", d.ID, d.Project)
	took := ""
	if d.StartedAt != nil && d.FinishedAt != nil {
		took = " after " + length(d.FinishedAt.Sub(*d.StartedAt))
	}
	switch d.Status {
	case deployer.Succeeded:
		s += "succeeded" + took
		if at := revision(d); at != "" {
			s += ": " + at
		}
		return printable(s)
	case deployer.Superseded:
		return printable(s + fmt.Sprintf("was superseded by deployment %d before it started", d.SupersededBy))
	case deployer.Canceled:
		s += strings.TrimSuffix("was canceled by "+d.CancelBy, " by ")
	default:
		s += words(d.Status)
	}
	if d.Step != "" {
		s += " in step " + string(d.Step)
	}
	s += took
	if d.Status != deployer.Canceled { // the reason would say it again
		s = because(s, strings.TrimSuffix(d.Reason, "."))
	}
	if left := aftermath(d.Outcome); left != "" {
		s += "; " + left
	}
	return printable(s)
}

// aftermath says what a deployment without success left behind.
func aftermath(o deployer.Outcome) string {
	switch o {
	case deployer.OutcomeUntouched:
		return "nothing that runs was touched"
	case deployer.OutcomeRolledBack:
		return "the last healthy deployment runs again"
	case deployer.OutcomeRollbackFailed:
		return "the rollback failed as well: the project needs a person"
	case deployer.OutcomeLeft:
		return "the project was left as the failure left it"
	}
	return ""
}

// decisionLine answers "why did, or didn't, this push deploy?".
func decisionLine(d deployer.Decision) string {
	switch d.Verdict {
	case deployer.VerdictQueued:
		return because(fmt.Sprintf("queued as deployment %d", d.Deployment), d.Reason)
	case deployer.VerdictCoalesced:
		return because(fmt.Sprintf("became part of deployment %d", d.Deployment), d.Reason)
	case deployer.VerdictDeferred:
		return because(fmt.Sprintf("deployment %d waits", d.Deployment), d.Reason)
	case deployer.VerdictDuplicate:
		return because("duplicate", d.Reason)
	}
	return because(string(d.Verdict), d.Reason)
}

func verdictStyle(v deployer.Verdict) style {
	switch {
	case v == deployer.VerdictDeferred:
		return yellow
	case v.Deploys():
		return green
	}
	return dim
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// revision says what a deployment deploys: "main at 3f2a9c1d77aa".
func revision(d deployer.Deployment) string {
	switch {
	case d.Commit == "":
		return shortRef(d.Ref)
	case d.Ref == "":
		return shortCommit(d.Commit)
	}
	return shortRef(d.Ref) + " at " + shortCommit(d.Commit)
}

func shortCommit(c string) string { return c[:min(len(c), 12)] }

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

// took says how long a deployment has run.
func took(d deployer.Deployment, now time.Time) string {
	switch {
	case d.StartedAt == nil:
		return ""
	case d.FinishedAt != nil:
		now = *d.FinishedAt
	case d.Status != deployer.Running:
		return ""
	}
	return length(now.Sub(*d.StartedAt))
}
