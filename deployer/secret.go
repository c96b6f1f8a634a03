package deployer

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that must never be printed. It formats, logs and marshals
// as "[redacted]"; Reveal is the only way to the bytes. The zero value is an
// empty secret. Compare with Equal, not with ==.
//
// The value is behind a pointer because fmt calls no methods of what it finds
// in unexported fields: it prints an address there.
type Secret struct{ value *string }

const redacted = "[redacted]"

// NewSecret wraps v.
func NewSecret(v string) Secret { return Secret{value: &v} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal compares in constant time (for equal lengths). An empty secret equals nothing.
func (s Secret) Equal(v string) bool {
	return !s.Empty() && subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(v)) == 1
}

// Format prints "[redacted]" whatever the verb; String alone would leave %d and others to reflection.
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (s Secret) String() string               { return redacted }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
