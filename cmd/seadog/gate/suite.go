package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/spec"
	"github.com/seadog/seadog/scenarios"
)

// entry is one scenario of the suite and what it needs.
type entry struct {
	scenario *loadtest.Scenario
	wanted   wanted
	checks   []check
}

// suite reads the scenarios that are to be run.
func (c Config) suite() ([]*entry, error) {
	names := scenarios.Names()
	for _, name := range c.Only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	var list []*entry
	for _, name := range names {
		if len(c.Only) > 0 && !slices.Contains(c.Only, name) {
			continue
		}
		e, err := c.entry(name)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func (c Config) entry(name string) (*entry, error) {
	file, text, err := scenarios.File(name)
	if err != nil {
		return nil, err
	}
	s, err := spec.Parse(file, text, spec.Options{Getenv: c.Getenv, Stretch: c.Profile.stretch(name), Fault: fault.Check})
	if err != nil {
		return nil, err
	}
	e := &entry{scenario: s}
	if e.wanted, err = wants(s, c.Sabotage); err != nil {
		return nil, err
	}
	if e.checks, err = checksOf(s); err != nil {
		return nil, err
	}
	if s.Length() < c.Profile.Least {
		s.Thresholds = slices.DeleteFunc(s.Thresholds, func(t loadtest.Threshold) bool { return t.Aggregate == loadtest.Slope })
	}
	return e, nil
}
