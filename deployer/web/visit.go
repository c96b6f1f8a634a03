package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
)

// visit is one request for a page, with who makes it.
type visit struct {
	*httpd.Visit
	c       *fiber.Ctx
	session session
	person  desk.Person // nobody on pages that need no scope
	form    url.Values  // of methods that change something
	now     time.Time
}

// policy is what a page may load and do.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve is everything that happens around every handler.
func (u *UI) serve(from *httpd.Visit, r route) error {
	v := &visit{Visit: from, c: from.Fiber(), now: u.cfg.Now()}
	v.c.Set(fiber.HeaderContentSecurityPolicy, policy)
	v.c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	if r.scope != "" {
		var ok bool
		v.session, v.person, ok = u.sessions.judge(cookieOf(from, cookieSession))
		if !ok {
			return u.turnAway(v, r)
		}
		if err := v.person.Permit(r.scope); err != nil {
			return err
		}
	}
	if r.method == post {
		if err := u.receive(v, r); err != nil {
			return err
		}
	}
	return r.handle(u, v)
}

// receive reads a form, and makes sure that it comes from a page of ours.
func (u *UI) receive(v *visit, r route) (err error) {
	if err := sameOrigin(v.c); err != nil {
		return err
	}
	if v.form, err = v.Form(); err != nil {
		return err
	}
	if r.scope != "" && !u.sessions.formTokenFits(v.session, v.form.Get("form")) {
		return deployer.Errorf(deployer.CodeForbidden, "this form is not of this session").
			WithHint("go back, load the page again, and send it again")
	}
	return nil
}

// turnAway answers who has no session.
func (u *UI) turnAway(v *visit, r route) error {
	if r.method != get || r.stream {
		return deployer.Errorf(deployer.CodeUnauthorized, "you are not signed in, or not any more").WithHint("sign in at /sign-in")
	}
	if v.c.Get("Sec-Fetch-Site") == "cross-site" {
		// A link on another site was followed: the browser keeps the cookie
		// back. It will send it when our own page asks for the same again.
		return u.send(v, "bounce", frame{Title: "One moment", Bounce: true, Data: v.c.OriginalURL()})
	}
	next := ""
	if path := v.c.OriginalURL(); path != "/" {
		next = "?" + url.Values{"next": {path}}.Encode()
	}
	return v.redirect("/sign-in" + next)
}

// redirect sends the browser to another page of ours.
func (v *visit) redirect(to string) error {
	return v.c.Redirect(to, fiber.StatusSeeOther)
}

// text returns a query parameter, cloned.
func (v *visit) text(name string) string { return strings.Clone(v.c.Query(name)) }

// number returns a query parameter that is a positive whole number, 0 if it is none.
func (v *visit) number(name string) int64 {
	n, err := strconv.ParseInt(v.c.Query(name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// id returns the id in the path.
func (v *visit) id() (int64, error) {
	id, err := strconv.ParseInt(v.c.Params("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, deployer.Errorf(deployer.CodeNotFound, "there is no such deployment")
	}
	return id, nil
}
