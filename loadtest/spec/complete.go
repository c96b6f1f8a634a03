package spec

import (
	"errors"

	"github.com/seadog/seadog/loadtest"
)

// Complete gives a scenario that does not come from a file its target and its
// thresholds, under the rules that hold for those of a file. own are the hosts
// beyond this machine that the user says are his.
func Complete(s *loadtest.Scenario, baseURL string, own, thresholds []string) error {
	f := defaults()
	f.Target.BaseURL, f.Target.AllowHosts, f.Thresholds = baseURL, own, thresholds
	b := &builder{decoder: &decoder{at: map[string]place{}, bad: map[string]bool{}}, f: f, o: Options{Own: own}, s: s}
	s.Target.BaseURL = b.baseURL()
	b.thresholds()
	if len(b.problems) == 0 {
		b.samples()
	}
	errs := make([]error, 0, len(b.problems))
	for _, p := range b.problems {
		errs = append(errs, errors.New(p.What+"; "+p.Do))
	}
	return errors.Join(errs...)
}
