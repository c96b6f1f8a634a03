package sqlite

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
)

// failure turns an error of the database into one of the contract. Answers pass.
func failure(err error) error {
	switch {
	case err == nil || record.Decided(err):
		return err
	case internal(err):
		return deployer.Errorf(deployer.CodeInternal, "the database refused a statement").Because(err)
	}
	return deployer.Errorf(deployer.CodeUnavailable, "the database cannot be used").
		WithHint("see the log of the service; free disk space and permissions of the data directory are the usual reasons").Because(err)
}

// internal reports whether err is the fault of a statement or its values rather
// than of the surroundings, so that the others in its batch may be fine.
func internal(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE,
		sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG:
		return true
	}
	return false
}
