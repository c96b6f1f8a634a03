package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

// Self returns the identity of this process. An empty node means the host name.
func Self(node string) (deployer.Owner, error) {
	if node == "" {
		name, err := os.Hostname()
		if err != nil {
			return deployer.Owner{}, fmt.Errorf("read host name: %w", err)
		}
		node = name
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return deployer.Owner{}, fmt.Errorf("read boot id: %w", err)
	}
	p, err := readProc(os.Getpid())
	if err != nil {
		return deployer.Owner{}, fmt.Errorf("read own start time: %w", err)
	}
	return deployer.Owner{Node: node, Boot: strings.TrimSpace(string(boot)), PID: p.pid, Started: p.started}, nil
}

// Liveness tells what self can know about owner o: nothing if o is on another
// node; dead if the machine was started since, if there is no such process or
// if its pid belongs to another by now, or if it is a zombie. A stopped process is alive.
func Liveness(o, self deployer.Owner) deployer.Liveness {
	if o.Node != self.Node || o.Boot == "" || o.PID <= 0 {
		return deployer.Unknown
	}
	if o.Boot != self.Boot {
		return deployer.Dead
	}
	p, err := readProc(o.PID)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return deployer.Dead
	case err != nil:
		return deployer.Unknown
	case p.started != o.Started, p.gone():
		return deployer.Dead
	}
	return deployer.Alive
}
