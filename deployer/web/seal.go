package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// sealer hides and authenticates what a browser keeps for us. What was sealed
// for one purpose cannot be opened for another.
type sealer struct{ aead cipher.AEAD }

func newSealer(k Key, purpose string) (sealer, error) {
	key, err := derive(k, purpose)
	if err != nil {
		return sealer{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("seal: %w", err)
	}
	return sealer{aead}, nil
}

func derive(k Key, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, k[:], nil, "seadog web "+purpose, len(k))
	if err != nil {
		return nil, fmt.Errorf("derive the key of %s: %w", purpose, err)
	}
	return key, nil
}

func (s sealer) seal(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)), nil
}

// open fills v and reports whether text was sealed with this key.
func (s sealer) open(text string, v any) bool {
	const longest = 1 << 10
	if text == "" || len(text) > longest {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	return err == nil && json.Unmarshal(plain, v) == nil
}

// stamp authenticates a text that is no secret.
func stamp(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
