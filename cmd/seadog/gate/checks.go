package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

// check looks after a run for something that no threshold can see. It returns
// what is missing, nil if nothing is.
type check struct {
	name    string
	verdict loadtest.Verdict // what the run is without it
	look    func(ctx context.Context, s *service, r *loadtest.Report) error
}

// checks by the names that scenarios give.
var checks = [...]check{
	{"live", loadtest.Correctness, lastCommitRuns},
	{"engine-named", loadtest.SLO, engineIsNamed},
	{"deadlock-named", loadtest.SLO, deadlockIsNamed},
	{"thread-named", loadtest.SLO, threadIsNamed},
	{"query-named", loadtest.SLO, queryIsNamed},
	{"protocol-named", loadtest.SLO, protocolIsNamed},
	{"goodput", loadtest.SLO, goodput},
}

func checksOf(s *loadtest.Scenario) (list []check, err error) {
	for name := range strings.FieldsSeq(s.Service.Options["expect"]) {
		found := false
		for _, c := range checks {
			if c.name == name {
				list, found = append(list, c), true
			}
		}
		if !found {
			return nil, fmt.Errorf("scenario %s: service.expect: there is no check %q", s.Name, name)
		}
	}
	return list, nil
}

// settleWithin is how long what a check looks for may take to be there.
const settleWithin = 20 * time.Second

// lastCommitRuns asks the engine which version of each project runs.
func lastCommitRuns(ctx context.Context, s *service, _ *loadtest.Report) error {
	for _, p := range s.projects {
		err := eventually(ctx, func() error {
			out, err := exec.CommandContext(ctx, "docker", "ps", "--filter", "label=com.docker.compose.project="+p, "--format", `{{.Label "`+versionLabel+`"}}`).Output()
			if err != nil {
				return fmt.Errorf("ask the engine what runs: %w", err)
			}
			if got := strings.TrimSpace(string(out)); got != s.releases.last() {
				return fmt.Errorf("of project %s version %q runs, the last one that was pushed is %q", p, got, s.releases.last())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// engineIsNamed looks for a deployment that ended because of the engine, and says so.
func engineIsNamed(ctx context.Context, s *service, _ *loadtest.Report) error {
	var list struct {
		Deployments []deployer.Deployment `json:"deployments"`
	}
	if err := s.ask(ctx, "/api/v1/deployments?limit=200", &list); err != nil {
		return err
	}
	for _, d := range list.Deployments {
		if d.Cause == deployer.CauseEngineWedged {
			return nil
		}
	}
	return fmt.Errorf("none of %d deployments says that the engine was stuck", len(list.Deployments))
}

// incidents reads what the service's watchdog wrote down during a run.
func (s *service) incidents(r *loadtest.Report) ([]watchdog.Incident, error) {
	return journal.List(filepath.Join(s.dir, "data", "incidents"), journal.Filter{Since: r.Identity.Started})
}

// deadlockIsNamed looks for an incident that names two locks, or two waiters, in a sentence.
func deadlockIsNamed(ctx context.Context, s *service, r *loadtest.Report) error {
	return eventually(ctx, func() error {
		list, err := s.incidents(r)
		if err != nil {
			return err
		}
		for _, i := range list {
			if strings.Contains(i.Verdict, "deadlock") && len(i.Evidence.Stacks) >= 2 {
				return nil
			}
		}
		return fmt.Errorf("none of %d incidents names a deadlock with both sides", len(list))
	})
}

// threadIsNamed looks for an incident with a thread that computes.
func threadIsNamed(ctx context.Context, s *service, r *loadtest.Report) error {
	return eventually(ctx, func() error {
		list, err := s.incidents(r)
		if err != nil {
			return err
		}
		for _, i := range list {
			for _, t := range i.Evidence.Threads {
				if i.Severity == watchdog.Killing && t.State == "R" {
					return nil
				}
			}
		}
		return fmt.Errorf("none of %d incidents shows a thread that runs", len(list))
	})
}

// queryIsNamed looks into the log for the route and the statement that is repeated.
func queryIsNamed(_ context.Context, s *service, _ *loadtest.Report) error {
	text, err := os.ReadFile(filepath.Join(s.dir, "serve.log"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "/api/v1/deployments") && strings.Contains(strings.ToLower(line), "select") {
			return nil
		}
	}
	return errors.New("no line of the log names the route and the statement that it repeats")
}

func protocolIsNamed(ctx context.Context, s *service, r *loadtest.Report) error {
	if !strings.Contains(strings.Join(r.Notes, " "), "uwsgi") {
		return errors.New("the report does not say that the target speaks uwsgi")
	}
	out, _ := exec.CommandContext(ctx, s.gate.Executable, "doctor", "--config", os.DevNull, s.url).CombinedOutput()
	if !strings.Contains(string(out), "uwsgi socket, spoken to in HTTP") {
		return fmt.Errorf("doctor does not say it: %s", out)
	}
	return nil
}

// goodput compares what was done in phase "overload" with what was done in
// phase "capacity".
func goodput(_ context.Context, _ *service, r *loadtest.Report) error {
	const least = 0.8
	rate := map[string]float64{}
	for _, p := range r.Phases {
		done, seconds := uint64(0), 0.0
		for _, row := range r.Series {
			// The first second of a phase is not its own yet.
			if row.At >= p.Begins+time.Second && row.At+row.For <= p.Begins+p.For {
				done += row.Done - min(row.Done, row.Failed)
				seconds += row.For.Seconds()
			}
		}
		if seconds > 0 {
			rate[p.Name] = float64(done) / seconds
		}
	}
	if rate["overload"] < least*rate["capacity"] {
		return fmt.Errorf("%.0f/s were done at three times the load, %.0f/s at one: less than %.0f %%", rate["overload"], rate["capacity"], least*100)
	}
	return nil
}

// eventually tries until it holds, for a while, and returns what is missing then.
func eventually(ctx context.Context, holds func() error) error {
	deadline := time.After(settleWithin)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return err
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// ask asks the service's API.
func (s *service) ask(ctx context.Context, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	req.Header = s.header()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(answer)
}
