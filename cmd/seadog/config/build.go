package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/seadog/seadog/deployer"
)

// builder checks a decoded file and makes the [Config] of it. Every rule
// reports through decoder.fail and goes on.
type builder struct {
	*decoder
	f        *file
	dir      string // of the file; relative paths are meant from here
	insecure bool
	cfg      *Config
}

func (b *builder) build() {
	b.listeners()
	b.machine()
	b.store()
	b.watch()
	b.limits()
	b.record()
	b.log()
	b.tools()
	b.tokens()
	b.projects()
}

func (b *builder) warn(key, do, format string, args ...any) {
	b.cfg.Warnings = append(b.cfg.Warnings, b.problem(b.inherited(key), do, format, args...))
}

// between fails unless low ≤ n ≤ high.
func (b *builder) between(key string, n, low, high int) {
	if n < low || n > high {
		b.fail(key, fmt.Sprintf("write a number from %d to %d", low, high), "%d is out of range", n)
	}
}

// path makes p absolute, from the directory of the configuration file.
func (b *builder) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(b.dir, p)
}

// strength is how a secret is judged.
type strength int

const (
	anyLength strength = iota
	strong             // guards something that strangers can try at: 16 bytes at least
)

const minSecret = 16

// secret returns the value that is given either in the file, as key, or in a
// file of its own, as key_file. Both may be missing: then it is empty.
func (b *builder) secret(key string, inline secret, file string, s strength) deployer.Secret {
	value, where := inline.Secret, key
	if file != "" {
		where = key + "_file"
		if !inline.Empty() {
			b.fail(where, "keep one of the two", "%s is given as well", key[strings.LastIndex(key, ".")+1:])
			return deployer.Secret{}
		}
		value = b.secretFile(where, b.path(file))
	}
	switch n := len(value.Reveal()); {
	case n == 0 && (b.given(where) || file != ""):
		b.fail(where, "give it a value, or remove the key", "is empty")
	case n > 0 && n < minSecret && s == strong:
		b.fail(where, "make a new one with: openssl rand -hex 32", "has %d bytes, fewer than %d", n, minSecret)
	}
	b.remember(value)
	return value
}

// remember keeps s for the redactor.
func (b *builder) remember(s deployer.Secret) {
	if !s.Empty() {
		b.cfg.secrets = append(b.cfg.secrets, s)
	}
}

// secretFile reads one secret; a line end after it is not part of it.
func (b *builder) secretFile(key, path string) deployer.Secret {
	none := deployer.Secret{}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a named pipe must not hang the start
	if errors.Is(err, fs.ErrNotExist) {
		b.fail(key, "write the secret into it, readable only by the user that runs seadog", "there is no file %s", path)
		return none
	}
	if err != nil {
		b.fail(key, "let the user that runs seadog read it", "cannot read %s: %s", path, reason(err))
		return none
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		b.fail(key, "name a file that holds nothing but the secret", "%s is not a regular file", path)
		return none
	}
	const limit = 64 << 10
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil || len(content) > limit {
		b.fail(key, "name a file that holds nothing but the secret", "%s cannot be read, or is larger than 64 KiB", path)
		return none
	}
	if info.Mode().Perm()&0o004 != 0 {
		b.warn(key, "chmod 600 "+path, "everybody on this machine can read %s", path)
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" {
		b.fail(key, "write the secret into it", "%s is empty", path)
	}
	return deployer.NewSecret(text)
}

// tokens builds the API's tokens.
func (b *builder) tokens() {
	names, hashes := map[string]bool{}, map[[32]byte]string{}
	for i := range b.f.API.Tokens {
		t := &b.f.API.Tokens[i]
		key := fmt.Sprintf("api.tokens[%d]", i)
		switch {
		case !deployer.ValidName(t.Name):
			b.fail(child(key, "name"), nameRule, "%q cannot name a token", t.Name)
		case names[t.Name]:
			b.fail(child(key, "name"), "give every token a name of its own: locks and deployments show it", "%s is taken", t.Name)
		}
		names[t.Name] = true
		if scope := deployer.Scope(t.Scope); !scope.Includes(deployer.ScopeRead) {
			b.fail(child(key, "scope"), "write read, deploy or admin", "%q is not a scope", t.Scope)
		}
		sum, ok := b.tokenHash(key, t)
		if !ok {
			continue
		}
		if other, taken := hashes[sum]; taken {
			b.fail(key, "make a new one with: openssl rand -hex 32", "the same token as %s", other)
		}
		hashes[sum] = t.Name
		b.cfg.Tokens = append(b.cfg.Tokens, Token{Name: t.Name, Scope: deployer.Scope(t.Scope), SHA256: sum})
	}
	if len(b.f.API.Tokens) == 0 && !b.insecure {
		b.fail("api.tokens", "add one ({name: ops, scope: admin, token_file: secrets/token}), or start with --insecure", "no token, so nobody could use the API")
	}
}

func (b *builder) tokenHash(key string, t *token) (sum [32]byte, ok bool) {
	if t.Hash == "" {
		value := b.secret(child(key, "token"), t.Token, t.TokenFile, strong)
		if value.Empty() {
			b.fail(key, "give token, token_file or hash", "has no token")
			return sum, false
		}
		return sha256.Sum256([]byte(value.Reveal())), true
	}
	if !t.Token.Empty() || t.TokenFile != "" {
		b.fail(child(key, "hash"), "keep one of the two", "the token itself is given as well")
		return sum, false
	}
	digits, found := strings.CutPrefix(t.Hash, "sha256:")
	raw, err := hex.DecodeString(digits)
	if !found || err != nil || len(raw) != len(sum) {
		b.fail(child(key, "hash"), "write sha256: and what this prints: printf %s TOKEN | sha256sum", "not a SHA-256 hash")
		return sum, false
	}
	return [32]byte(raw), true
}

// store checks where deliveries and deployments are kept.
func (b *builder) store() {
	s := &b.f.Store
	switch Driver(s.Driver) {
	case SQLite:
		if !s.DSN.Empty() || s.DSNFile != "" {
			b.fail("store.dsn", "remove it, or set driver: postgres", "has no meaning for driver sqlite")
		}
		if s.Path == "" {
			s.Path = filepath.Join(b.f.Data, "seadog.db")
		}
		s.Path = b.path(s.Path)
	case Postgres:
		if s.Path != "" {
			b.fail("store.path", "remove it, or set driver: sqlite", "has no meaning for driver postgres")
		}
		b.cfg.Store.DSN = b.dsn()
	default:
		b.fail("store.driver", "write sqlite or postgres", "%q is not a driver", s.Driver)
	}
	b.cfg.Store.Driver, b.cfg.Store.Path = Driver(s.Driver), s.Path
}

func (b *builder) dsn() deployer.Secret {
	s := &b.f.Store
	const example = "write postgres://user:password@host:5432/seadog"
	value := b.secret("store.dsn", s.DSN, s.DSNFile, anyLength)
	text := value.Reveal()
	if text == "" {
		b.fail("store.dsn", example+", or name a file with dsn_file", "driver postgres needs one")
		return value
	}
	u, err := url.Parse(text)
	isURL := err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
	if !isURL && !strings.Contains(text, "=") {
		b.fail("store.dsn", example, "neither a postgres:// URL nor key=value pairs")
	}
	if isURL && u.User != nil {
		password, _ := u.User.Password()
		b.remember(deployer.NewSecret(password))
	}
	return value
}
