// Package scenarios holds the suite of the release gate: one file for each
// incident of the field that seadog was built against, and the soak that is all
// of them. `seadog soak` starts what a scenario's service section asks for and
// runs it; each can also be run alone.
//
// A scenario must fail on a build without the countermeasure that it is about:
// that is what the first line of each file names.
package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// suite is all scenarios in the order in which the gate runs them: those that
// can share a service stand together.
var suite = [...]string{
	"webhook-storm", "health-30s", "vanishing-deploy", "soak",
	"deploy-storm", "console-flood", "stuck-engine", "slow-database", "query-storm", "wrong-protocol",
	"lock-order", "cpu-spin", "frozen-worker", "black-hole", "router-timeout", "death-spiral",
	"worker-creep", "recycle-under-load",
}

// Names returns the names of all scenarios, in order.
func Names() []string { return suite[:] }

// File returns the text of a scenario and the name of its file.
func File(name string) (file string, text []byte, err error) {
	file = name + ".yaml"
	text, err = files.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(suite[:], ", "))
	}
	return file, text, nil
}

// All returns the file system of all scenarios.
func All() fs.FS { return files }
