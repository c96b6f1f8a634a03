package webhook

import (
	"bytes"
	"errors"
	"strings"

	"github.com/seadog/seadog/deployer"
)

var errForm = errors.New("no readable form field payload")

// isForm reports whether the body is payload=<JSON> instead of JSON.
func (r Request) isForm() bool {
	media, _, _ := strings.Cut(r.ContentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}

// document returns the JSON of the delivery, however it is wrapped.
func (r Request) document() ([]byte, error) {
	if !r.isForm() {
		return r.Body, nil
	}
	payload, err := formPayload(r.Body)
	if err != nil {
		return nil, deployer.Errorf(deployer.CodeInvalid, "the form field payload is missing or not URL-encoded").
			WithHint("set the content type of the webhook to application/json").Because(err)
	}
	return payload, nil
}

// formPayload returns the decoded value of the first field called payload.
func formPayload(form []byte) ([]byte, error) {
	for field := range bytes.SplitSeq(form, []byte("&")) {
		if value, ok := bytes.CutPrefix(field, []byte("payload=")); ok {
			return unescapeForm(value)
		}
	}
	return nil, errForm
}

func unescapeForm(value []byte) ([]byte, error) {
	plain := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '+':
			plain = append(plain, ' ')
		case '%':
			if i+2 >= len(value) {
				return nil, errForm
			}
			hi, lo := hexDigit(value[i+1]), hexDigit(value[i+2])
			if hi < 0 || lo < 0 {
				return nil, errForm
			}
			plain = append(plain, byte(hi<<4|lo))
			i += 2
		default:
			plain = append(plain, value[i])
		}
	}
	return plain, nil
}

// hexDigit returns the value of a hex digit, -1 if c is none.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
