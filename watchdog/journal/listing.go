package journal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// Errors of [Load].
var (
	ErrNotFound  = errors.New("no such incident")
	ErrAmbiguous = errors.New("more than one incident begins so")
	ErrDamaged   = errors.New("the record of the incident is damaged")
)

const (
	recordSuffix    = ".json"
	dumpSuffix      = ".dump"
	temporaryPrefix = ".new-"
	maxIDLength     = 64
)

// Filter selects incidents. Zero fields select all.
type Filter struct {
	Since    time.Time
	Severity watchdog.Severity
	Pool     string
	Limit    int // the newest so many
}

func (f Filter) takes(i watchdog.Incident) bool {
	return !i.Time.Before(f.Since) && (f.Severity == "" || i.Severity == f.Severity) && (f.Pool == "" || i.Pool == f.Pool)
}

// List returns the incidents in dir, newest first. A directory that does not
// exist has none; files that are no incidents are passed over. It may run
// beside any number of writers.
func List(dir string, f Filter) ([]watchdog.Incident, error) {
	ids, err := recordIDs(dir)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	var found []watchdog.Incident
	for _, id := range ids {
		i, err := loadRecord(dir, id)
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("list incidents: %w", err)
		}
		if err == nil && f.takes(i) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b watchdog.Incident) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID))
	})
	if f.Limit > 0 {
		found = found[:min(len(found), f.Limit)]
	}
	return found, nil
}

// Load returns the incident in dir whose id is, or as the only one begins
// with, prefix, and the path of its dump, "" if it has none. Errors are
// [ErrNotFound], [ErrAmbiguous], [ErrDamaged], or those of the file system.
func Load(dir, prefix string) (watchdog.Incident, string, error) {
	id, err := find(dir, strings.ToLower(prefix))
	if err != nil {
		return watchdog.Incident{}, "", fmt.Errorf("load incident %q: %w", prefix, err)
	}
	i, err := loadRecord(dir, id)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound // pruned in this moment
	}
	if err != nil {
		return watchdog.Incident{}, "", fmt.Errorf("load incident %s: %w", id, err)
	}
	dump := filepath.Join(dir, id+dumpSuffix)
	if info, err := os.Lstat(dump); err != nil || !info.Mode().IsRegular() {
		dump = ""
	}
	return i, dump, nil
}

func find(dir, prefix string) (string, error) {
	ids, err := recordIDs(dir)
	if err != nil {
		return "", err
	}
	if slices.Contains(ids, prefix) {
		return prefix, nil
	}
	var fitting []string
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			fitting = append(fitting, id)
		}
	}
	switch {
	case len(fitting) == 0 || prefix == "":
		return "", ErrNotFound
	case len(fitting) > 1:
		return "", fmt.Errorf("%w: %s", ErrAmbiguous, strings.Join(fitting[:min(len(fitting), 5)], ", "))
	}
	return fitting[0], nil
}

// recordIDs returns what has the name of a record.
func recordIDs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), recordSuffix); ok && validID(id) && e.Type().IsRegular() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// validID accepts what [watchdog.NewIncidentID] makes, and nothing that means
// something to a file system or a terminal.
func validID(id string) bool {
	if id == "" || len(id) > maxIDLength {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func loadRecord(dir, id string) (watchdog.Incident, error) {
	f, err := os.OpenFile(filepath.Join(dir, id+recordSuffix), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return watchdog.Incident{}, err
	}
	defer f.Close()
	i, err := readRecord(f)
	if err == nil && i.ID != id {
		err = ErrDamaged
	}
	return i, err
}

// readRecord reads one record and nothing beside it.
func readRecord(r io.Reader) (watchdog.Incident, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return watchdog.Incident{}, err
	}
	var i watchdog.Incident
	if len(content) > maxRecord || json.Unmarshal(content, &i) != nil || !validID(i.ID) {
		return watchdog.Incident{}, ErrDamaged
	}
	return i, nil
}
