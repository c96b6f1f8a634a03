package target

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/seadog/seadog/loadtest"
)

// signer signs bodies. It is not safe for concurrent use; nil signs nothing.
type signer struct {
	mac    hash.Hash
	prefix string
	sum    [sha256.Size]byte
}

func newSigner(s loadtest.Sign) (*signer, error) {
	prefix := ""
	switch s.Scheme {
	case "":
		return nil, nil
	case "github-sha256":
		prefix = "sha256="
	case "hmac-sha256-hex":
	default:
		return nil, fmt.Errorf("sign: there is no scheme %q; write github-sha256 or hmac-sha256-hex", s.Scheme)
	}
	if s.Header == "" {
		return nil, fmt.Errorf("sign: %s needs a header; name it", s.Scheme)
	}
	return &signer{mac: hmac.New(sha256.New, []byte(s.Secret)), prefix: prefix}, nil
}

// sign returns the header's value. A wrong one differs in its last digit only.
func (s *signer) sign(body []byte, wrong bool) string {
	s.mac.Reset()
	s.mac.Write(body)
	sum := s.mac.Sum(s.sum[:0])
	if wrong {
		sum[len(sum)-1] ^= 1
	}
	var value [len("sha256=") + 2*sha256.Size]byte
	b := append(value[:0], s.prefix...)
	return string(hex.AppendEncode(b, sum))
}
