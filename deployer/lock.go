package deployer

import (
	"fmt"
	"time"
)

// Lock keeps a project from being deployed. Pushes wait behind it and run when
// it is released or expires.
type Lock struct {
	Project   string     `json:"project"`
	Owner     string     `json:"owner"`
	Reason    string     `json:"reason,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: until unlocked
}

// Expired reports whether the lock no longer holds at time now.
func (l Lock) Expired(now time.Time) bool { return l.ExpiresAt != nil && !now.Before(*l.ExpiresAt) }

// String says who holds the lock, why and until when.
func (l Lock) String() string {
	s := "locked by " + l.Owner
	if l.Reason != "" {
		s += fmt.Sprintf(" (%s)", l.Reason)
	}
	if l.ExpiresAt != nil {
		s += " until " + l.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return s
}
