package main

import (
	"path/filepath"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/deployer/web"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// webDir is where the web UI keeps the key of its sessions.
const webDir = "web"

// httpRoutes are what requests to HTTP workers are counted by.
func httpRoutes() []string { return append(httpd.Routes(), web.Routes()...) }

// webPages returns the web UI, to be served beside the API. Without it the
// service does all that matters, so nothing about it keeps a worker from starting.
func webPages(cfg *config.Config, board *scoreboard.Board, c httpd.Config, book transcript.Book) httpd.Site {
	if !cfg.Web {
		return httpd.Site{}
	}
	office, err := desk.New(desk.Config{Store: c.Store, Projects: c.Projects, Hooks: c.Hooks, Ring: c.Ring})
	if err != nil {
		c.Log.Error("the web UI is off", deployer.KeyError, err)
		return httpd.Site{}
	}
	ui, err := web.New(web.Config{
		Desk: office, Store: c.Store, Projects: c.Projects, Hooks: c.Hooks, Tokens: c.Tokens, Insecure: c.Insecure,
		Book: book, Tailer: c.Tailer, Dir: filepath.Join(cfg.Data, webDir), Runners: cfg.Runners,
		Workers: webWorkers{board}, Incidents: webIncidents{filepath.Join(cfg.Data, incidentsDir)},
		Reports:  webReports{filepath.Join(cfg.Data, reportsDir)},
		Settings: cfg.Print, Version: c.Version, Log: c.Log,
	})
	if err != nil {
		c.Log.Error("the web UI is off", deployer.KeyError, err)
		return httpd.Site{}
	}
	return ui.Site()
}
