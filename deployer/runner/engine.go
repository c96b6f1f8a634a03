package runner

import (
	"context"
	"os"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/health"
)

// Engine is what a runner asks of the Docker Engine beside Compose;
// [engine.Client] is it. Every call ends within a deadline of its own.
type Engine interface {
	health.Observer
	Probe(ctx context.Context) (engine.Latency, error)
	Logs(ctx context.Context, container string, lines int) ([]string, error)
	Keep(ctx context.Context, project string, deployment int64, seen []health.Observation) ([]deployer.Image, error)
	Forget(ctx context.Context, project string, keep []int64) ([]string, error)
	Repair(ctx context.Context, composeProject string) ([]string, error)
	Resolve(ctx context.Context, ref string) (id string, err error)
}

var _ Engine = (*engine.Client)(nil)

// lastLogLines is how much of an unhealthy container's output is shown.
const lastLogLines = 20

// showLogs copies the last lines of the containers that kept the verdict from
// passing into the transcript. It is evidence: that it cannot be had changes nothing.
func (s *session) showLogs(v health.Verdict) {
	ctx, cancel := context.WithTimeout(s.owned, storeTimeout)
	defer cancel()
	seen, err := s.r.cfg.Engine.Services(ctx, s.composeProject())
	if err != nil {
		return
	}
	blamed := map[string]bool{}
	for _, f := range v.Findings {
		blamed[f.Service] = f.Outcome != health.Passed
	}
	for _, o := range seen {
		if !blamed[o.Service] {
			continue
		}
		lines, err := s.r.cfg.Engine.Logs(ctx, o.ID, lastLogLines)
		if err != nil {
			continue
		}
		for _, line := range lines {
			s.say("%s │ %s", o.Name, line)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
