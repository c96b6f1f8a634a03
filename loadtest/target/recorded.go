package target

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/seadog/seadog/loadtest"
)

// replay prepares a recipe whose requests were recorded.
func (r *recipe) replay(from *loadtest.Request) error {
	r.recorded, r.addresses = from.Recorded, map[address]*url.URL{}
	r.id, r.sign.Header = http.CanonicalHeaderKey(from.ID.Header), http.CanonicalHeaderKey(r.sign.Header)
	r.needsID = r.id != ""
	signer, err := newSigner(r.sign)
	if err != nil {
		return err
	}
	for i := range r.recorded {
		if err := r.admit(&r.recorded[i], signer); err != nil {
			return fmt.Errorf("recorded request %d: %w", i+1, err)
		}
	}
	for i := range r.traffic.Negatives {
		s, err := newSpoiler(&r.traffic.Negatives[i], r)
		if err != nil {
			return err
		}
		if s.kind != "signature" && s.kind != "unsigned" && s.kind != "recorded" {
			return fmt.Errorf("negative %q: recorded requests are not spoiled by %s", r.traffic.Negatives[i].Name, s.kind)
		}
		r.negatives = append(r.negatives, s)
	}
	return nil
}

// admit checks one request, and prepares its address.
func (r *recipe) admit(one *loadtest.Recorded, signer *signer) error {
	n, at := uint64(len(r.recorded)), one.IDAt
	switch {
	case one.Of >= n || r.recorded[one.Of].Of != one.Of:
		return errors.New("what it repeats is not in the list")
	case one.Variant == loadtest.Spoiled && (one.Negative < 0 || one.Negative >= len(r.traffic.Negatives)):
		return errors.New("it is spoiled in no way that the traffic has")
	case at != [2]int{} && (at[0] < 0 || at[0] > at[1] || at[1] > len(one.Body)):
		return errors.New("its id stands outside of its body")
	case r.addresses[address{path: one.Path}] != nil:
		return nil
	}
	if _, err := parsePath(one.Path); err != nil {
		return err
	}
	places := map[address]string{{path: one.Path}: one.Path}
	if signer != nil && signer.inPath {
		for _, wrong := range []bool{false, true} {
			places[address{one.Path, true, wrong}] = one.Path + "/" + url.PathEscape(signer.sign(nil, wrong))
		}
	}
	for at, path := range places {
		u, err := url.Parse(r.base + path)
		if err != nil {
			return fmt.Errorf("path: %w", err)
		}
		r.addresses[at] = u
	}
	return nil
}

// address is a recorded path, with or without a secret behind it.
type address struct {
	path          string
	signed, wrong bool
}

// again makes s a request that was recorded.
func (b *builder) again(s *Shot, seq uint64, c Choice) {
	r := b.recipe
	one := &r.recorded[seq%uint64(len(r.recorded))]
	s.Seq, s.Choice, s.ID, s.Method, s.URL, s.Host = seq, c, "", one.Method, r.addresses[address{path: one.Path}], ""
	if s.own == nil {
		s.own = http.Header{}
	}
	clear(s.own)
	maps.Copy(s.own, one.Header) // whose values are shared, and so never set in place
	if s.own["User-Agent"] == nil {
		s.own["User-Agent"] = []string{"seadog-load"}
	}
	s.Header, s.Body, s.buffer = s.own, one.Body, s.buffer[:0]
	if r.id != "" {
		if s.ID = cmp.Or(one.ID, b.facts.id); one.ID == "" {
			s.own[r.id] = []string{s.ID}
		}
		if one.IDAt != [2]int{} {
			s.buffer = append(s.buffer, one.Body[:one.IDAt[0]]...)
			quoted, _ := json.Marshal(s.ID) // a string always can be
			s.buffer = append(append(s.buffer, quoted...), one.Body[one.IDAt[1]:]...)
			s.Body = s.buffer
		}
	}
	kind := ""
	if c.Variant == loadtest.Spoiled {
		kind = r.negatives[c.Negative].kind
	}
	switch wrong := kind == "signature"; {
	case b.signer == nil || kind == "unsigned":
	case b.signer.inPath:
		s.URL = r.addresses[address{one.Path, true, wrong}]
	default:
		s.own[r.sign.Header] = []string{b.signer.sign(b.signer.message(s.Header.Get("Content-Type"), s.Body), wrong)}
	}
}

// IDs returns the function that tells the ids of a scenario's requests, by run,
// traffic and number: [ID], but for recorded requests that keep theirs.
func IDs(s *loadtest.Scenario) func(run, traffic string, seq uint64) string {
	return func(run, traffic string, seq uint64) string {
		if i := s.TrafficIndex(traffic); i >= 0 {
			if recorded := s.Traffic[i].Request.Recorded; len(recorded) > 0 {
				if id := recorded[seq%uint64(len(recorded))].ID; id != "" {
					return id
				}
			}
		}
		return ID(run, traffic, seq)
	}
}
