package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// incident is what "seadog incidents --json" tells, as far as it is judged here.
type incident struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	Verdict string `json:"verdict"`
	PID     int    `json:"pid"`
	Stuck   []struct {
		Request string `json:"request"`
	} `json:"stuck"`
	Evidence struct {
		Locks []struct {
			Name    string   `json:"name"`
			Waiters []string `json:"waiters"`
		} `json:"locks"`
		Stacks []struct {
			Request string   `json:"request"`
			Frames  []string `json:"frames"`
		} `json:"stacks"`
	} `json:"evidence"`
}

func (s *server) incidents(ctx context.Context) ([]incident, error) {
	var all struct {
		Incidents []incident `json:"incidents"`
	}
	err := s.tell(ctx, &all, "incidents", "--limit", "0")
	return all.Incidents, err
}

// tell runs a subcommand that prints JSON about the lab.
func (s *server) tell(ctx context.Context, into any, args ...string) error {
	out, err := exec.CommandContext(ctx, s.binary, append(args, "--json", "--data", s.data)...).Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		return fmt.Errorf("seadog %s: %w", args[0], err)
	}
	return nil
}

// blames reports whether the incident accuses locks.
func (i incident) blames() bool {
	return len(i.Evidence.Locks) > 0 || i.Reason == "stalled" || i.Reason == "deadlock"
}

// stack reports whether the incident shows the stack of a request.
func (i incident) stack(request string) bool {
	if request == "" {
		return false
	}
	for _, s := range i.Evidence.Stacks {
		if strings.Contains(s.Request, request) && len(s.Frames) > 0 {
			return true
		}
	}
	return false
}

// names reports whether the incident mentions a request anywhere that a reader looks.
func (i incident) names(request string) bool {
	if request == "" {
		return false
	}
	for _, s := range i.Stuck {
		if s.Request == request {
			return true
		}
	}
	for _, l := range i.Evidence.Locks {
		for _, w := range l.Waiters {
			if strings.Contains(w, request) {
				return true
			}
		}
	}
	return i.stack(request)
}
