package web

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// device is a browser that somebody signed in from. It gives no access, only
// attempts of its own.
type device struct {
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
}

const deviceLife = 90 * 24 * time.Hour

// door is the sign-in page.
type door struct {
	Next  string
	Wrong bool
	Wait  int // seconds until the next attempt; 0: now
}

// signIn answers GET /sign-in.
func (u *UI) signIn(v *visit) error {
	next := local(v.text("next"))
	if _, _, ok := u.sessions.judge(cookieOf(v.Visit, cookieSession)); ok {
		return v.redirect(next)
	}
	return u.send(v, "signin", frame{Title: "Sign in", Data: door{Next: next}})
}

// tryToken answers POST /sign-in.
func (u *UI) tryToken(v *visit) error {
	who := u.caller(v)
	next := local(v.form.Get("next"))
	if wait, ok := u.attempts.take(who, v.now); !ok {
		seconds := int(wait/time.Second) + 1
		v.c.Status(fiber.StatusTooManyRequests).Set(fiber.HeaderRetryAfter, fmt.Sprint(seconds))
		return u.send(v, "signin", frame{Title: "Sign in", Data: door{Next: next, Wait: seconds}})
	}
	token, ok := u.cfg.Tokens.Find(strings.TrimSpace(v.form.Get("token")))
	if !ok {
		u.cfg.Log.Warn("somebody tried to sign in with a wrong token", slog.String(deployer.KeyClient, v.Client()),
			slog.String(deployer.KeyRequest, v.ID()))
		v.c.Status(fiber.StatusUnauthorized)
		return u.send(v, "signin", frame{Title: "Sign in", Data: door{Next: next, Wrong: true}})
	}
	u.attempts.back(who, v.now)
	begun, sealed, err := u.sessions.begin(token)
	if err != nil {
		return err
	}
	v.c.Cookie(cookie(v.Visit, cookieSession, sealed, begun.Expires))
	if err := u.remember(v); err != nil {
		return err
	}
	u.cfg.Log.Info("signed in", slog.String(deployer.KeyPerson, token.Name), slog.String(deployer.KeyClient, v.Client()),
		slog.String(deployer.KeyRequest, v.ID()))
	return v.redirect(next)
}

// caller is what attempts of a visit are counted by.
func (u *UI) caller(v *visit) string {
	var known device
	if u.devices.open(cookieOf(v.Visit, cookieDevice), &known) && v.now.Before(known.Expires) {
		return "device " + known.ID
	}
	return neighbourhood(v.Client())
}

// remember gives a browser attempts of its own.
func (u *UI) remember(v *visit) error {
	known := device{ID: rand.Text(), Expires: v.now.Add(deviceLife).UTC()}
	sealed, err := u.devices.seal(known)
	if err != nil {
		return err
	}
	v.c.Cookie(cookie(v.Visit, cookieDevice, sealed, known.Expires))
	return nil
}

// signOut answers POST /sign-out. The session is over everywhere, not only
// forgotten by this browser.
func (u *UI) signOut(v *visit) error {
	if v.session.ID != anonymousID {
		if err := u.sessions.ended.add(v.session); err != nil {
			return err
		}
	}
	v.c.Cookie(cookie(v.Visit, cookieSession, "", time.Unix(1, 0)))
	return v.redirect("/sign-in")
}

// theme answers POST /theme: it is kept in a cookie, so that pages come in the
// right colours at once.
func (u *UI) theme(v *visit) error {
	chosen := v.form.Get("theme")
	if chosen != "light" && chosen != "dark" {
		chosen = "" // as the system has it
	}
	const year = 365 * 24 * time.Hour
	v.c.Cookie(&fiber.Cookie{
		Name: cookieTheme, Value: chosen, Path: "/", Expires: v.now.Add(year),
		HTTPOnly: true, Secure: v.Secure(), SameSite: fiber.CookieSameSiteLaxMode,
	})
	return v.redirect(local(v.form.Get("next")))
}
