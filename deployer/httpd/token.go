package httpd

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
)

// Token is one bearer token. Only its hash is known.
type Token struct {
	Name   string
	Scope  deployer.Scope
	SHA256 [sha256.Size]byte
}

// Person is who shows the token.
func (t Token) Person() desk.Person { return desk.Person{Name: t.Name, Scope: t.Scope} }

// Tokens are all that there are.
type Tokens []Token

// Find returns the token that was presented. It compares with every token,
// whether one matched or not.
func (all Tokens) Find(presented string) (Token, bool) {
	return all.Hashed(sha256.Sum256([]byte(presented)))
}

// Hashed is Find for who kept the hash only.
func (all Tokens) Hashed(sum [sha256.Size]byte) (Token, bool) {
	found := -1
	for i := range all {
		if subtle.ConstantTimeCompare(sum[:], all[i].SHA256[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Token{}, false
	}
	return all[found], true
}

// Anonymous is everybody when the service is insecure and has no tokens.
func Anonymous() Token { return Token{Name: "anonymous", Scope: deployer.ScopeAdmin} }
