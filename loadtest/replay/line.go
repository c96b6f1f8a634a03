package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Delivery is one recorded delivery.
type Delivery struct {
	At       time.Duration // since the first of the recording
	Hook     string
	Provider string
	Method   string
	Path     string
	Header   http.Header
	ID       string // the provider's; "" if it had none, or was refused
	Proof    string // "good", "bad", "none"
	Refused  string // why it was not taken; "" if it was
	Body     []byte

	time time.Time
}

// line is a delivery as it is written.
type line struct {
	At       *int64            `json:"at_ns"`
	Time     time.Time         `json:"time"`
	Hook     string            `json:"hook"`
	Provider string            `json:"provider"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	ID       string            `json:"id"`
	Proof    string            `json:"proof"`
	Refused  string            `json:"refused"`
	Body     string            `json:"body"`
	Base64   []byte            `json:"body_base64"`
}

const (
	proofGood = "good"
	proofBad  = "bad"
	proofNone = "none"
)

var (
	hookRE   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	methodRE = regexp.MustCompile(`^[A-Z]{1,20}$`)
	pathRE   = regexp.MustCompile(`^/[A-Za-z0-9_./~-]{0,500}$`)
	headerRE = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// longest is how far from its begin a file can go.
const longest = 10 * 365 * 24 * time.Hour

// decode reads one line, whose At counts from the begin of its file still.
func decode(text []byte) (Delivery, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return Delivery{}, errors.New("not a JSON object")
		}
		return Delivery{}, fmt.Errorf("not a delivery: %w", err)
	}
	d := Delivery{
		Hook: l.Hook, Provider: l.Provider, Method: l.Method, Path: l.Path, Header: http.Header{},
		ID: l.ID, Proof: l.Proof, Refused: l.Refused, Body: l.Base64, time: l.Time,
	}
	if l.Body != "" {
		d.Body = []byte(l.Body)
	}
	switch {
	case l.At == nil:
		return d, errors.New("at_ns is missing")
	case time.Duration(*l.At) > longest || time.Duration(*l.At) < -longest:
		return d, fmt.Errorf("at_ns %d is out of range", *l.At)
	case l.Time.IsZero():
		return d, errors.New("time is missing")
	case !hookRE.MatchString(l.Hook):
		return d, fmt.Errorf("hook %q is no name of a hook", cut(l.Hook))
	case !methodRE.MatchString(l.Method):
		return d, fmt.Errorf("method %q is none", cut(l.Method))
	case !pathRE.MatchString(l.Path) || strings.HasPrefix(l.Path, "//"):
		return d, fmt.Errorf("path %q is none", cut(l.Path))
	case l.Proof != proofGood && l.Proof != proofBad && l.Proof != proofNone:
		return d, fmt.Errorf("proof %q is not good, bad or none", cut(l.Proof))
	case l.Body != "" && len(l.Base64) > 0:
		return d, errors.New("it has two bodies")
	case len(l.ID) > 1<<10:
		return d, errors.New("its id is longer than 1 KiB")
	}
	d.At = time.Duration(*l.At)
	for name, value := range l.Headers {
		if !headerRE.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return d, fmt.Errorf("header %q cannot be sent", cut(name))
		}
		d.Header.Set(name, value)
	}
	return d, nil
}

// recorded is d as the load tester sends it, but for its id.
func (d *Delivery) recorded() loadtest.Recorded {
	return loadtest.Recorded{Method: d.Method, Path: d.Path, Header: d.Header, Body: bytes.Clone(d.Body)}
}

func cut(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
