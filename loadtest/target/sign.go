package target

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Schemes in which requests prove that their sender knows a secret.
const (
	SignGitHub  = "github-sha256"      // sha256=HEX, the HMAC of the body
	SignHex     = "hmac-sha256-hex"    // HEX, the HMAC of the body
	SignPayload = "payload-sha256-hex" // HEX, the HMAC of the JSON, also where that is a field of a form
	SignToken   = "token"              // the secret itself
	SignBearer  = "bearer"             // Bearer and the secret
	SignPath    = "path"               // the secret, as the last segment of the path; of recorded requests only
)

// signer makes what proves a secret. It is not safe for concurrent use; nil
// signs nothing.
type signer struct {
	mac     hash.Hash // nil: the proof is the same for all
	prefix  string
	sum     [sha256.Size]byte
	payload bool // of a form is what is signed
	inPath  bool
	secret  string // without mac
}

func newSigner(s loadtest.Sign) (*signer, error) {
	out := &signer{}
	switch s.Scheme {
	case "":
		return nil, nil
	case SignGitHub:
		out.prefix = "sha256="
	case SignHex:
	case SignPayload:
		out.payload = true
	case SignToken:
		out.secret = s.Secret
	case SignBearer:
		out.prefix, out.secret = "Bearer ", s.Secret
	case SignPath:
		out.inPath, out.secret = true, s.Secret
	default:
		return nil, fmt.Errorf("sign: there is no scheme %q; write github-sha256 or hmac-sha256-hex", s.Scheme)
	}
	if s.Header == "" && !out.inPath {
		return nil, fmt.Errorf("sign: %s needs a header; name it", s.Scheme)
	}
	switch s.Scheme {
	case SignToken, SignBearer, SignPath:
		if s.Secret == "" {
			return nil, fmt.Errorf("sign: %s needs a secret", s.Scheme)
		}
	default:
		out.mac = hmac.New(sha256.New, []byte(s.Secret))
	}
	return out, nil
}

// sign returns the header's value for a message. A wrong one differs in its
// last digit only.
func (s *signer) sign(message []byte, wrong bool) string {
	if s.mac == nil {
		secret := []byte(s.secret)
		if wrong {
			secret[len(secret)-1] = other(secret[len(secret)-1])
		}
		return s.prefix + string(secret)
	}
	s.mac.Reset()
	s.mac.Write(message)
	sum := s.mac.Sum(s.sum[:0])
	if wrong {
		sum[len(sum)-1] ^= 1
	}
	var value [len("sha256=") + 2*sha256.Size]byte
	b := append(value[:0], s.prefix...)
	return string(hex.AppendEncode(b, sum))
}

// other returns a letter that is not c and may stand in a header and a path.
func other(c byte) byte {
	if c == 'x' {
		return 'y'
	}
	return 'x'
}

// message returns what of a body is signed.
func (s *signer) message(contentType string, body []byte) []byte {
	media, _, _ := strings.Cut(contentType, ";")
	if !s.payload || !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return body
	}
	for field := range strings.SplitSeq(string(body), "&") {
		if value, found := strings.CutPrefix(field, "payload="); found {
			if plain, err := url.QueryUnescape(value); err == nil {
				return []byte(plain)
			}
			break
		}
	}
	return body
}
