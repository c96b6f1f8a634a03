package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/record"
)

// failure turns an error of the database into one of the contract. Answers pass.
func (s *Store) failure(err error) error {
	if err == nil || record.Decided(err) {
		return err
	}
	cause := err
	if s.password != "" && strings.Contains(err.Error(), s.password) {
		cause = errors.New(strings.ReplaceAll(err.Error(), s.password, "[redacted]"))
	}
	if internal(err) {
		return deployer.Errorf(deployer.CodeInternal, "the database refused a statement").Because(cause)
	}
	return deployer.Errorf(deployer.CodeUnavailable, "the database cannot be used").
		WithHint("see the log of the service; check that PostgreSQL runs and accepts its connections").Because(cause)
}

// internal reports whether err is the fault of a statement or its values rather
// than of the surroundings, so that the others in its batch may be fine.
func internal(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) < 2 {
		return false
	}
	switch e.Code[:2] {
	case "08", "25", "28", "3D", "40", "53", "54", "55", "57", "58", "F0", "XX":
		return false // connection, read-only, password, database, lost, resources, limits, locks, operator, system
	}
	return true
}
