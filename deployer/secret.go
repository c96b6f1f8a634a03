package deployer

import (
	"crypto/subtle"
	"log/slog"
)

// Secret is a value that must never be printed. It formats, logs and marshals
// as "[redacted]"; Reveal is the only way to the bytes.
type Secret struct{ value string }

const redacted = "[redacted]"

// NewSecret wraps v.
func NewSecret(v string) Secret { return Secret{value: v} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.value == "" }

// Equal compares in constant time (for equal lengths). An empty secret equals nothing.
func (s Secret) Equal(v string) bool {
	return s.value != "" && subtle.ConstantTimeCompare([]byte(s.value), []byte(v)) == 1
}

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
