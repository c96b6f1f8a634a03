package journal

import (
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// Overtake puts temporary in the place of the record at path after another
// did, between the last look and the exchange, and returns what is found then.
func Overtake(temporary, path string, between func()) (watchdog.Incident, bool, error) {
	r, err := openRecord(path)
	if err != nil {
		return watchdog.Incident{}, false, err
	}
	defer r.Close()
	between()
	if err := unix.Renameat2(unix.AT_FDCWD, temporary, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE); err != nil {
		return watchdog.Incident{}, false, err
	}
	found, done, err := r.displaced(temporary, path)
	if err != nil {
		return watchdog.Incident{}, false, err
	}
	return found.incident, done, found.Close()
}
