package main

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/deployer/web"
)

func TestTheWebUICanBeSwitchedOffAndNeverKeepsAWorkerFromStarting(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "seadog.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	book := transcript.Book{Dir: filepath.Join(dir, "logs")}
	cfg := httpd.Config{Insecure: true, Store: store, Book: book, Tailer: transcript.NewTailer(book), Log: log}
	for name, c := range map[string]struct {
		config config.Config
		served bool
	}{
		"on":                    {config.Config{Web: true, Data: dir}, true},
		"off":                   {config.Config{Data: dir}, false},
		"with nowhere to write": {config.Config{Web: true, Data: "/proc/none"}, false},
	} {
		site := webPages(&c.config, nil, cfg, book)
		if served := len(site.Pages) > 0; served != c.served {
			t.Errorf("%s: served is %v", name, served)
		}
	}
}

// TestEveryPageIsCounted: what has no number on the scoreboard is watched as
// something else.
func TestEveryPageIsCounted(t *testing.T) {
	t.Parallel()
	names := routeNames()
	for _, route := range web.Routes() {
		if !slices.Contains(names, route) {
			t.Errorf("%s has no place on the scoreboard", route)
		}
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		t.Error("two routes have the same name")
	}
}
