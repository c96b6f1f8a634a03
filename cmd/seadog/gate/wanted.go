package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// wanted is what the service section of a scenario asks for.
type wanted struct {
	kind     string // "serve", "lab" or "uwsgi"
	projects int
	runners  int
	workers  int
	commits  int      // of each project's repository, beyond the first
	compose  string   // "site", "chatty"
	proxies  []string // "engine", "git", "postgres"
	store    string   // "" : the gate's
	unread   bool     // nobody reads what the service prints
	trouble  string   // what it is made to do wrong: what the scenario is about
	config   string   // further keys of the configuration, as YAML
	steps    string   // deadlines of a project's steps, as YAML
	flags    []string // of lab
	sabotage string   // what is switched off: proofs only
}

// key tells whether two scenarios can share a service.
func (w wanted) key() string { return fmt.Sprintf("%+v", w) }

// wants reads the service section of s.
func wants(s *loadtest.Scenario, sabotage string) (wanted, error) {
	w := wanted{kind: s.Service.Kind, projects: 2, runners: 2, workers: 2, commits: 8, compose: "site", steps: "up: {deadline: 30s}, health: {deadline: 20s}", sabotage: sabotage}
	for name, value := range s.Service.Options {
		if err := w.set(name, value); err != nil {
			return w, fmt.Errorf("scenario %s: service.%s: %w", s.Name, name, err)
		}
	}
	switch w.kind {
	case "serve", "lab", "uwsgi":
		slices.Sort(w.flags)
		return w, nil
	}
	return w, fmt.Errorf("scenario %s: service.run: %q; want serve, lab or uwsgi", s.Name, w.kind)
}

func (w *wanted) set(name, value string) error {
	var err error
	switch name {
	case "projects":
		w.projects, err = within(value, 0, 64)
	case "runners":
		w.runners, err = within(value, 1, 8)
	case "workers":
		w.workers, err = within(value, 1, 8)
	case "commits":
		w.commits, err = within(value, 1, 1000)
	case "compose":
		w.compose, err = value, oneOf(value, "site", "chatty")
	case "proxies":
		w.proxies = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		for _, p := range w.proxies {
			if err := oneOf(p, "engine", "git", "postgres"); err != nil {
				return err
			}
		}
	case "store":
		w.store, err = value, oneOf(value, "sqlite", "postgres")
	case "trouble":
		w.trouble = value
	case "unread":
		w.unread, err = strconv.ParseBool(value)
	case "steps":
		w.steps = value
	case "config":
		w.config = value
	case "expect": // is the scenario's, see checks
	case "harakiri", "mercy":
		_, err = time.ParseDuration(value)
		w.flags = append(w.flags, "--"+name+"="+value)
	case "max_requests", "max_rss":
		w.flags = append(w.flags, "--"+strings.ReplaceAll(name, "_", "-")+"="+value)
	default:
		return fmt.Errorf("there is no such option")
	}
	return err
}

func within(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q; want a number from %d to %d", text, least, most)
	}
	return n, nil
}

func oneOf(text string, known ...string) error {
	if slices.Contains(known, text) {
		return nil
	}
	return fmt.Errorf("%q; want one of %s", text, strings.Join(known, ", "))
}
