package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// digest is an HMAC-SHA256 as a sender claims it.
type digest [sha256.Size]byte

// hexDigest reads the 64 hex digits behind prefix. A sender without a secret
// sends an empty digest; that, and anything of another length, is none.
func hexDigest(header, prefix string) (d digest, ok bool) {
	digits, ok := strings.CutPrefix(header, prefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return digest{}, false
	}
	_, err := hex.Decode(d[:], []byte(digits))
	return d, err == nil
}

// signed returns nil if one of digests is the HMAC-SHA256 of the concatenated
// parts under one of secrets.
func signed(secrets []deployer.Secret, digests []digest, parts ...[]byte) error {
	if len(digests) == 0 {
		return errNoSignature
	}
	cause := errNoSecret
	for _, secret := range secrets {
		if secret.Empty() {
			continue
		}
		var sum digest
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		for _, part := range parts {
			mac.Write(part)
		}
		mac.Sum(sum[:0])
		for _, d := range digests {
			if hmac.Equal(sum[:], d[:]) {
				return nil
			}
		}
		cause = errWrongSignature
	}
	return cause
}

// presented returns nil if token is one of secrets.
func presented(secrets []deployer.Secret, token string) error {
	if token == "" {
		return errNoToken
	}
	for _, secret := range secrets {
		if secret.Equal(token) {
			return nil
		}
	}
	return errWrongToken
}
