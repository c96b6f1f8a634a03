package webhook

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Standard Webhooks: the headers webhook-id, webhook-timestamp and
// webhook-signature, the last of which holds space-separated signatures such as
//
//	v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
//
// over "id.timestamp.body".
const (
	standardID        = "webhook-id"
	standardTimestamp = "webhook-timestamp"
	standardSignature = "webhook-signature"

	standardSkew       = 5 * time.Minute
	standardSignatures = 16 // more than any rotation of keys needs
)

// verifyStandard returns nil if r carries a Standard Webhooks signature that is
// no older and no newer than five minutes.
func verifyStandard(secrets []deployer.Secret, r Request) error {
	digests := standardDigests(r.Header(standardSignature))
	if len(digests) == 0 {
		return errNoSignature
	}
	stamp := r.Header(standardTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errNoTimestamp
	}
	// Compared as numbers: a duration cannot hold every difference of two times.
	if now, skew := r.Now.Unix(), int64(standardSkew/time.Second); seconds < now-skew || seconds > now+skew {
		return errStale
	}
	return signed(standardKeys(secrets), digests, []byte(r.Header(standardID)+"."+stamp+"."), r.Body)
}

func standardDigests(header string) []digest {
	var digests []digest
	for signature := range strings.FieldsSeq(header) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		if !ok || len(digests) == standardSignatures {
			continue
		}
		if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(raw) == len(digest{}) {
			digests = append(digests, digest(raw))
		}
	}
	return digests
}

// standardKeys replaces secrets written as whsec_<base64> by the key they
// stand for. One that is not base64 stands for no key.
func standardKeys(secrets []deployer.Secret) []deployer.Secret {
	keys := make([]deployer.Secret, 0, len(secrets))
	for _, secret := range secrets {
		encoded, ok := strings.CutPrefix(secret.Reveal(), "whsec_")
		if !ok {
			keys = append(keys, secret)
		} else if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			keys = append(keys, deployer.NewSecret(string(raw)))
		}
	}
	return keys
}
