package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mount is one line of /proc/self/mountinfo.
type mount struct {
	device string // major:minor
	point  string
}

// separate reports as nil that a directory is where a filesystem is mounted that
// is mounted nowhere else.
func separate(dir string) error {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	return judge(parseMounts(string(b)), dir)
}

// judge is separate for the mounts given.
func judge(mounts []mount, dir string) error {
	if dir == "/" {
		return errors.New("it is the root directory")
	}
	device := ""
	for _, m := range mounts {
		if m.point == dir {
			device = m.device // the last one mounted there is the one that is seen
		}
	}
	if device == "" {
		return errors.New("no filesystem is mounted there: mount a small one, such as a tmpfs with a size, for the directory alone")
	}
	for _, m := range mounts {
		if m.device == device && m.point != dir {
			return fmt.Errorf("its filesystem is also mounted on %s, which would be full as well", m.point)
		}
	}
	return nil
}

// parseMounts reads lines like
//
//	36 35 98:0 /mnt1 /mnt/a\040b rw,noatime master:1 - ext3 /dev/root rw
//
// What is not understood is passed over.
func parseMounts(text string) []mount {
	var mounts []mount
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		mounts = append(mounts, mount{device: f[2], point: unescape(f[4])})
	}
	return mounts
}

// unescape undoes how the kernel writes blanks in names.
func unescape(name string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(name)
}

// resolve returns the directory's true path.
func resolve(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}
