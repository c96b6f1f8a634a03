package master_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/master"
)

func TestConfigSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	good := func() master.Config {
		return master.Config{Executable: "/bin/true", Log: slog.New(slog.DiscardHandler), Pools: []watchdog.Pool{{Name: "http", Count: 1}}}
	}
	if err := good().Validate(); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	for want, change := range map[string]func(*master.Config){
		`executable "seadog" is not an absolute`: func(c *master.Config) { c.Executable = "seadog" },
		"no logger":                              func(c *master.Config) { c.Log = nil },
		"no pools":                               func(c *master.Config) { c.Pools = nil },
		"0 workers":                              func(c *master.Config) { c.Pools[0].Count = 0 },
		"two pools are called http":              func(c *master.Config) { c.Pools = append(c.Pools, c.Pools[0]) },
		`pool http: there is no listener "public"`: func(c *master.Config) { c.Pools[0].Listeners = []string{"public"} },
		`pool http: there is no doorbell "work"`:   func(c *master.Config) { c.Pools[0].Doorbells = []string{"work"} },
	} {
		c := good()
		change(&c)
		if err := master.Run(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run: %v, want %q", err, want)
		}
	}
}
