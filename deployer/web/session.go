package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
)

// session is what a browser shows instead of the token that somebody signed in
// with. It is sealed; nothing of it is kept here but that it was ended early.
type session struct {
	ID      string            `json:"id"`
	Token   [sha256.Size]byte `json:"token"` // hash
	Scope   deployer.Scope    `json:"scope"` // when it began
	Expires time.Time         `json:"expires"`
}

// anonymous is the session of everybody where there are no tokens.
const anonymousID = "anonymous"

// sessions makes sessions and judges them.
type sessions struct {
	sealer sealer
	form   []byte // key of the tokens in forms
	tokens httpd.Tokens
	open   bool // no token is needed
	ended  *signedOut
	long   time.Duration
	now    func() time.Time
}

// begin returns a new session of who showed token, and its sealed form.
func (s *sessions) begin(token httpd.Token) (session, string, error) {
	begun := session{ID: rand.Text(), Token: token.SHA256, Scope: token.Scope, Expires: s.now().Add(s.long).UTC()}
	sealed, err := s.sealer.seal(begun)
	return begun, sealed, err
}

// judge returns the session in a cookie and who it stands for. It is over at
// its time, when somebody signed out of it, and when the configuration does not
// know its token any more. It never reaches further than the token does now, nor
// further than it did when the session began.
func (s *sessions) judge(cookie string) (session, desk.Person, bool) {
	if s.open {
		return session{ID: anonymousID, Expires: s.now().Add(s.long)}, httpd.Anonymous().Person(), true
	}
	var found session
	if !s.sealer.open(cookie, &found) || !s.lasts(found) {
		return session{}, desk.Person{}, false
	}
	token, _ := s.tokens.Hashed(found.Token)
	person := token.Person()
	if !found.Scope.Includes(person.Scope) {
		person.Scope = found.Scope
	}
	return found, person, true
}

// lasts reports whether a session that was opened is still good.
func (s *sessions) lasts(found session) bool {
	if s.open {
		return true
	}
	_, known := s.tokens.Hashed(found.Token)
	return known && found.ID != anonymousID && s.now().Before(found.Expires) && !s.ended.has(found.ID)
}

// formToken is what every form of a session carries: another site can make a
// browser send a form, but cannot know this.
func (s *sessions) formToken(of session) string { return stamp(s.form, of.ID) }

func (s *sessions) formTokenFits(of session, given string) bool {
	return subtle.ConstantTimeCompare([]byte(s.formToken(of)), []byte(given)) == 1
}

// Names of cookies. With TLS they have a prefix that browsers take from nobody
// but the host itself, and only with TLS.
const (
	cookieSession = "seadog-session"
	cookieDevice  = "seadog-device"
	cookieTheme   = "seadog-theme"
	securePrefix  = "__Host-"
)

func cookieName(name string, secure bool) string {
	if secure {
		return securePrefix + name
	}
	return name
}

// cookie is one that scripts cannot read and other sites cannot send.
func cookie(v *httpd.Visit, name, value string, expires time.Time) *fiber.Cookie {
	return &fiber.Cookie{
		Name: cookieName(name, v.Secure()), Value: value, Path: "/", Expires: expires,
		HTTPOnly: true, Secure: v.Secure(), SameSite: fiber.CookieSameSiteStrictMode,
	}
}

func cookieOf(v *httpd.Visit, name string) string {
	return v.Fiber().Cookies(cookieName(name, v.Secure()))
}
