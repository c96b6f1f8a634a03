package gate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// pool returns the processes of a pool of the service, for faults. Workers of
// `seadog serve` are told apart by how they were started; those of the lab are
// all alike.
func (s *service) pool(_ context.Context, name string) ([]int, error) {
	master := s.child.PID()
	kind := map[string]string{"worker": "worker http", "runner": "worker runner", "admin": "worker admin"}[name]
	switch {
	case name == "master":
		return []int{master}, nil
	case kind == "":
		return nil, fmt.Errorf("the service has no pool %q", name)
	case s.kind == "lab":
		kind = "lab"
	}
	var pids []int
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", master))
	if err != nil {
		return nil, err
	}
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread that is gone has none
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if strings.Contains(strings.ReplaceAll(string(cmdline), "\x00", " "), " "+kind+" ") {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids, nil
}
