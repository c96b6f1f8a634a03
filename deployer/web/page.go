package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
)

//go:embed templates/*.html
var templateFiles embed.FS

// frame is what every template gets. Fields that a page leaves empty are
// filled in by send.
type frame struct {
	Title string
	Area  string // of the navigation
	Data  any

	// Live is the stream that keeps the page up to date, "" if it does not
	// change; Seen tells the stream what the page shows already.
	Live, Seen string
	State      string // of the whole page, for the style sheet
	// Reload is after how many seconds a browser without script loads the page again; 0: never.
	Reload int
	Script string // an asset, beside the one of all pages
	Bounce bool   // load the page again at once

	// Now is zero in parts that are sent to pages which are open already: they
	// must not differ for no other reason than that time passes. The browser
	// fills in what depends on it.
	Now       time.Time
	Person    desk.Person
	Signed    bool
	FormToken string
	Path      string
	Theme     string
	Version   string
	Insecure  bool
}

// layouts are the templates that every page may use.
var layouts = []string{"templates/layout.html", "templates/parts.html"}

func (u *UI) parseTemplates() (map[string]*template.Template, error) {
	base, err := template.New("").Funcs(u.functions()).ParseFS(templateFiles, layouts...)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template)
	for _, file := range files {
		if slices.Contains(layouts, file) {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")] = page
	}
	return pages, nil
}

// send answers with a page.
func (u *UI) send(v *visit, page string, f frame) error {
	f.Now, f.Person, f.Version, f.Insecure = v.now, v.person, u.cfg.Version, u.sessions.open
	f.Path = v.c.OriginalURL()
	if f.Signed = v.session.ID != ""; f.Signed {
		f.FormToken = u.sessions.formToken(v.session)
	}
	if theme := v.c.Cookies(cookieTheme); theme == "light" || theme == "dark" {
		f.Theme = theme
	}
	var out bytes.Buffer
	if err := u.pages[page].ExecuteTemplate(&out, "layout", f); err != nil {
		return fmt.Errorf("make page %s: %w", page, err)
	}
	v.c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	v.c.Response().SetBodyRaw(out.Bytes())
	return nil
}

// trouble is a page that could not be shown.
type trouble struct {
	Status  int
	Problem *deployer.Error
	Request string
}

// fail answers a request that failed.
func (u *UI) fail(from *httpd.Visit, status int, public *deployer.Error) {
	v := &visit{Visit: from, c: from.Fiber(), now: u.cfg.Now()}
	v.c.Set(fiber.HeaderContentSecurityPolicy, policy)
	v.c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	if found, person, ok := u.sessions.judge(cookieOf(from, cookieSession)); ok {
		v.session, v.person = found, person
	}
	title := http.StatusText(status)
	if err := u.send(v, "trouble", frame{Title: title, Data: trouble{status, public, v.ID()}}); err != nil {
		u.cfg.Log.Error("no page for a failure", deployer.KeyError, err, deployer.KeyRequest, v.ID())
		v.c.Response().SetBodyString(title)
	}
}
