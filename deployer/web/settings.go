package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// settings is the page of what is configured.
type settings struct {
	Hooks  []deployer.Hook
	Hook   *hookCard // the one that was asked for
	Tokens []tokenRow
	Config string
	Cut    bool // Config is only its beginning
	Admin  bool // Tokens and Config are for administrators
}

// hookCard says how a forge is told about a hook.
type hookCard struct {
	Name     string
	Projects []string
	URL      string
	Secret   bool
	Setup    setup
}

type tokenRow struct {
	Name  string
	Scope deployer.Scope
}

// shownConfig is how much of the configuration the page has; a hundred projects fill more.
const shownConfig = 48 << 10

// settings answers GET /settings?hook=NAME.
func (u *UI) settings(v *visit) error {
	s := settings{Hooks: u.cfg.Hooks, Admin: v.person.Scope.Includes(deployer.ScopeAdmin)}
	asked := v.text("hook")
	for _, h := range u.cfg.Hooks {
		if h.Name == asked || len(u.cfg.Hooks) == 1 {
			s.Hook = hookOf(v, h)
		}
	}
	if !s.Admin {
		return u.send(v, "settings", frame{Title: "Settings", Area: "settings", Data: s})
	}
	for _, t := range u.cfg.Tokens {
		s.Tokens = append(s.Tokens, tokenRow{t.Name, t.Scope})
	}
	text, err := u.configText()
	if err != nil {
		return err
	}
	if s.Config = text; len(text) > shownConfig {
		s.Config, s.Cut = text[:strings.LastIndexByte(text[:shownConfig], '\n')+1], true
	}
	return u.send(v, "settings", frame{Title: "Settings", Area: "settings", Data: s})
}

func (u *UI) configText() (string, error) {
	if u.cfg.Settings == nil {
		return "", nil
	}
	text, err := u.cfg.Settings()
	return string(text), err
}

// config answers GET /settings/seadog.yml: the configuration in force, without
// its secrets.
func (u *UI) config(v *visit) error {
	text, err := u.configText()
	if err != nil {
		return err
	}
	v.c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	v.c.Set(fiber.HeaderContentDisposition, `attachment; filename="seadog.yml"`)
	return v.c.SendString(text)
}

func hookOf(v *visit, h deployer.Hook) *hookCard {
	scheme := "http://"
	if v.Secure() {
		scheme = "https://"
	}
	card := hookCard{
		Name: h.Name, Projects: h.Projects, URL: scheme + string(v.c.Context().Host()) + "/hooks/" + h.Name,
		Secret: len(h.Secrets) > 0, Setup: setupOf(h.Provider),
	}
	if h.Provider == deployer.DockerHub {
		card.URL += "/SECRET" // it cannot sign, so its secret is part of the URL; it is not shown
	}
	return &card
}
