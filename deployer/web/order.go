package web

import (
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// order answers POST /projects/{project}/{action}: what people ask for, and what
// the desk makes of it.
func (u *UI) order(v *visit) error {
	name := strings.Clone(v.c.Params("project"))
	repeat := deployer.RepeatRequest{Override: v.form.Get("override") != ""}
	if given := v.form.Get("deployment"); given != "" {
		id, err := strconv.ParseInt(given, 10, 64)
		if err != nil || id <= 0 {
			return deployer.Errorf(deployer.CodeInvalid, "%.40q is no deployment", given)
		}
		repeat.Deployment = id
	}
	var placed deployer.Placed
	var err error
	switch ctx := v.Context(); v.c.Params("action") {
	case "deploy":
		placed, err = u.cfg.Desk.Deploy(ctx, v.person, name, deployer.DeployRequest{
			Ref: strings.TrimSpace(v.form.Get("ref")), Commit: strings.TrimSpace(v.form.Get("commit")), Override: repeat.Override,
		})
	case "redeploy":
		placed, err = u.cfg.Desk.Redeploy(ctx, v.person, name, repeat)
	case "rollback":
		placed, err = u.cfg.Desk.Rollback(ctx, v.person, name, repeat)
	case "lock":
		return u.lock(v, name)
	case "unlock":
		if err := u.cfg.Desk.Unlock(ctx, name); err != nil && deployer.CodeOf(err) != deployer.CodeNotFound {
			return err
		}
		return v.redirect("/projects/" + name)
	default:
		return deployer.Errorf(deployer.CodeNotFound, "a project cannot do that")
	}
	if err != nil {
		return err
	}
	v.About(placed.Deployment.ID)
	return v.redirect(deploymentPath(placed.Deployment.ID))
}

func (u *UI) lock(v *visit, name string) error {
	_, err := u.cfg.Desk.Lock(v.Context(), v.person, name, deployer.LockRequest{
		Reason: strings.TrimSpace(v.form.Get("reason")), For: v.form.Get("for"),
	})
	if err != nil {
		return err
	}
	return v.redirect("/projects/" + name)
}

// cancel answers POST /deployments/{id}/cancel. One that has ended meanwhile is
// shown as it ended.
func (u *UI) cancel(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if _, err := u.cfg.Desk.Cancel(v.Context(), v.person, id); err != nil && deployer.CodeOf(err) != deployer.CodeConflict {
		return err
	}
	v.About(id)
	return v.redirect(deploymentPath(id))
}
