package web

import (
	"strings"

	"github.com/seadog/seadog/deployer"
)

// settings is the page of what is configured.
type settings struct {
	Hooks  []hookCard
	Tokens []tokenRow // only for administrators, as Config
	Config string
	Admin  bool
	Only   string // the hook that was asked for
}

// hookCard says how a forge is told about a hook.
type hookCard struct {
	Name     string
	Provider deployer.Provider
	Projects []string
	URL      string
	Secret   bool
	Setup    setup
}

type tokenRow struct {
	Name  string
	Scope deployer.Scope
}

// settings answers GET /settings.
func (u *UI) settings(v *visit) error {
	s := settings{Admin: v.person.Scope.Includes(deployer.ScopeAdmin)}
	base := "http://"
	if v.Secure() {
		base = "https://"
	}
	base += string(v.c.Context().Host())
	for _, h := range u.cfg.Hooks {
		card := hookCard{
			Name: h.Name, Provider: h.Provider, Projects: h.Projects, URL: base + "/hooks/" + h.Name,
			Secret: len(h.Secrets) > 0, Setup: setupOf(h.Provider),
		}
		if h.Provider == deployer.DockerHub {
			card.URL += "/SECRET" // it cannot sign, so its secret is part of the URL; it is not shown
		}
		s.Hooks = append(s.Hooks, card)
	}
	if s.Admin {
		for _, t := range u.cfg.Tokens {
			s.Tokens = append(s.Tokens, tokenRow{t.Name, t.Scope})
		}
		if u.cfg.Settings != nil {
			text, err := u.cfg.Settings()
			if err != nil {
				return err
			}
			s.Config = strings.TrimSpace(string(text))
		}
	}
	return u.send(v, "settings", frame{Title: "Settings", Area: "settings", Data: s})
}
