package journal

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// attempts bounds how often a writer starts again because another one wrote
// the same incident at the same moment.
const attempts = 20

// writeRecord puts i in the place of the record with its id, completed by what
// that record says. Nobody waits for anybody: who finds that the record is not
// the one that he read any more reads it again. That he starts again means that
// another has done his work, so all come to an end.
func (s *Incidents) writeRecord(i watchdog.Incident) error {
	path := s.recordPath(i.ID)
	known, err := openRecord(path)
	if err != nil {
		return err
	}
	for range attempts {
		i = Merge(known.incident, i)
		content, err := encodeRecord(i)
		if err != nil {
			return errors.Join(err, known.Close())
		}
		temporary, err := s.writeTemporary(i.ID+recordSuffix, content)
		if err != nil {
			return errors.Join(err, known.Close())
		}
		after, done, err := known.replace(temporary, path)
		if err = errors.Join(err, known.Close()); err != nil || done {
			return err
		}
		known = after
	}
	return errors.Join(errors.New("others write it all the time"), known.Close())
}

// record is a record as it was found. Its file stays open, so that no other
// can get the same inode. The zero value is none.
type record struct {
	file     *os.File
	incident watchdog.Incident
}

// openRecord returns the zero value if there is no file, and an incident with
// nothing in it if the file is none.
func openRecord(path string) (record, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, err
	}
	i, _ := readRecord(f) // one that cannot be read has nothing to add
	return record{file: f, incident: i}, nil
}

func (r record) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// replace puts temporary in the place of r and reports that it is done. If
// another was there, it returns what there is now.
func (r record) replace(temporary, path string) (record, bool, error) {
	err := r.exchange(temporary, path)
	switch {
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS): // not on this file system: the last one wins
		return record{}, true, os.Rename(temporary, path)
	case errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOENT): // it came, was replaced, or was pruned
		found, err := openRecord(path)
		return found, false, errors.Join(err, os.Remove(temporary))
	case err != nil:
		return record{}, false, errors.Join(err, os.Remove(temporary))
	case r.file == nil:
		return record{}, true, nil
	}
	return r.displaced(temporary, path)
}

// exchange makes temporary and r, which is at path, change their names.
func (r record) exchange(temporary, path string) error {
	if r.file == nil {
		return unix.Renameat2(unix.AT_FDCWD, temporary, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	}
	if now, err := os.Lstat(path); err != nil || !r.is(now) {
		return unix.EEXIST
	}
	return unix.Renameat2(unix.AT_FDCWD, temporary, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
}

// displaced looks at what came back for r. Subtle: it is another one if that
// took the place of r a moment before the exchange. Then what it said must be
// put back in, in the next round.
func (r record) displaced(temporary, path string) (record, bool, error) {
	out, err := openRecord(temporary)
	if err != nil {
		return record{}, false, err
	}
	defer out.Close()
	if err := os.Remove(temporary); err != nil {
		return record{}, false, err
	}
	if info, err := out.file.Stat(); err == nil && r.is(info) {
		return record{}, true, nil
	}
	in, err := openRecord(path)
	in.incident = Merge(out.incident, in.incident)
	return in, false, err
}

func (r record) is(info os.FileInfo) bool {
	own, err := r.file.Stat()
	return err == nil && os.SameFile(own, info)
}
