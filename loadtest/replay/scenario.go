package replay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/spec"
)

// Config says how a recording is sent again. Target and Speed are required.
type Config struct {
	Target string   // http://host:port
	Own    []string // hosts beyond this machine that are the user's
	Speed  float64  // times the pace at which it was recorded
	Same   bool     // ids stay what they were
	// Secret returns what the deliveries of a hook are signed with; "": nothing.
	Secret     func(hook string) string
	Ledger     loadtest.Endpoint // URL "" : there is none
	Probe      string            // path that must always answer; "": none
	Thresholds []string          // beside the one that nothing fails
}

// Names of the shares that must be refused.
const (
	Unverified = "unverified"
	Malformed  = "malformed"
)

// ErrNoSecret is that a hook's deliveries cannot be signed.
var ErrNoSecret = errors.New("there is no secret to sign them with")

// Phase is the name of the only phase.
const Phase = "replay"

// Scenario returns the scenario that sends a recording again, with one traffic
// for each hook.
func Scenario(r *Recording, c Config) (*loadtest.Scenario, error) {
	if len(r.Deliveries) == 0 {
		return nil, fmt.Errorf("none of the %d recorded deliveries is selected", r.Left)
	}
	if !(c.Speed >= 0.001 && c.Speed <= 1000) {
		return nil, fmt.Errorf("%g is no speed; write how many times as fast, from 0.001 to 1000", c.Speed)
	}
	first, last := r.Deliveries[0].At, r.Deliveries[len(r.Deliveries)-1].At
	s := &loadtest.Scenario{
		Name: "replay", Seed: 1, Repeat: 1,
		Description: fmt.Sprintf("%d deliveries that came in from %s on, at %g times their pace",
			len(r.Deliveries), r.Begins.Add(first).UTC().Format(time.RFC3339), c.Speed),
		Digest: digest(r, c),
		Target: loadtest.Target{Every: time.Second},
		Client: loadtest.Client{
			Transport: loadtest.NetHTTP, MaxInflight: 256, MaxConns: 256,
			Timeout: 10 * time.Second, LateLimit: 2 * time.Second, CatchUp: 2, // forges wait as long
		},
		Phases: []loadtest.Phase{{
			Name: Phase, Judged: true, Scale: 1,
			For: time.Duration(float64(last-first)/c.Speed).Truncate(time.Second) + time.Second,
		}},
		Hang: loadtest.Hang{Probe: c.Probe},
	}
	if c.Ledger.URL != "" {
		s.Target.Ledger = loadtest.Ledger{URL: c.Ledger.URL, Header: c.Ledger.Header, Kind: "seadog"}
	}
	var err error
	if s.Traffic, err = traffic(r.Deliveries, c); err != nil {
		return nil, err
	}
	return s, spec.Complete(s, c.Target, c.Own, append([]string{"count(failed) == 0"}, c.Thresholds...))
}

// digest says which requests at which pace a report is about.
func digest(r *Recording, c Config) string {
	h := sha256.New()
	fmt.Fprintln(h, c.Speed, c.Same)
	for _, d := range r.Deliveries {
		fmt.Fprintf(h, "%d %q %q %q %d ", d.At-r.Deliveries[0].At, d.Hook, d.ID, d.Refused, len(d.Body))
		h.Write(d.Body)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// group is what one traffic is made of.
type group struct {
	hook, provider string
	// booked says that the ledger can tell its requests apart: not those without
	// an id, and not those whose old id another hook has as well.
	booked bool
}

// sorter sorts deliveries into traffic.
type sorter struct {
	config Config
	known  map[string]provider
	all    map[group]*loadtest.Traffic
	first  map[group]map[string]uint64 // by id: which had it first
	owner  map[string]group            // of old ids
	proven map[group]bool              // somebody proved a secret
}

func traffic(all []Delivery, c Config) ([]loadtest.Traffic, error) {
	s := sorter{
		config: c, known: providers(), all: map[group]*loadtest.Traffic{}, first: map[group]map[string]uint64{},
		owner: map[string]group{}, proven: map[group]bool{},
	}
	for i := range all {
		if err := s.add(&all[i], all[i].At-all[0].At); err != nil {
			return nil, err
		}
	}
	groups := slices.SortedFunc(maps.Keys(s.all), func(a, b group) int {
		return cmp.Or(strings.Compare(a.hook, b.hook), strings.Compare(a.provider, b.provider), bookedFirst(a, b))
	})
	var out []loadtest.Traffic
	var problems []error
	for _, g := range groups {
		if err := s.finish(g); err != nil {
			problems = append(problems, err)
			continue
		}
		t := s.all[g]
		for i := 2; slices.ContainsFunc(out, func(o loadtest.Traffic) bool { return o.Name == t.Name }); i++ {
			t.Name = fmt.Sprintf("%.50s.%d", g.hook, i)
		}
		out = append(out, *t)
	}
	return out, errors.Join(problems...)
}

func bookedFirst(a, b group) int {
	switch {
	case a.booked == b.booked:
		return 0
	case a.booked:
		return -1
	}
	return 1
}

// add adds one delivery, due then.
func (s *sorter) add(d *Delivery, due time.Duration) error {
	p, known := s.known[d.Provider]
	if !known {
		return fmt.Errorf("hook %s: the provider %q is not known here", d.Hook, cut(d.Provider))
	}
	one := d.recorded()
	id := d.ID
	if d.Refused != "" { // the service does not know it
		id = ""
	}
	g := group{d.Hook, d.Provider, p.id != ""}
	if p.find != nil && d.Refused == "" {
		one.IDAt = p.find(one.Body, id)
	}
	if d.Provider == "registry" && d.Refused == "" && one.IDAt == [2]int{} {
		g.booked = false
	}
	if s.config.Same && id != "" {
		one.ID = id
		if owner, taken := s.owner[id]; taken && owner != g {
			g.booked = false
		} else if g.booked {
			s.owner[id] = g
		}
	}
	t := s.all[g]
	if t == nil {
		t = &loadtest.Traffic{Name: d.Hook, Judged: true, Pacing: loadtest.Pacing{Kind: loadtest.Replayed, Speed: s.config.Speed}}
		s.all[g], s.first[g] = t, map[string]uint64{}
	}
	one.Of = uint64(len(t.Request.Recorded))
	switch earlier, again := s.first[g][id]; {
	case d.Refused == "unauthorized":
		one.Variant, one.Negative = loadtest.Spoiled, 0
	case d.Refused != "":
		one.Variant, one.Negative = loadtest.Spoiled, 1
	case id != "" && again:
		one.Variant, one.Of = loadtest.Repeated, earlier
	case id != "":
		s.first[g][id] = one.Of
	}
	s.proven[g] = s.proven[g] || d.Proof == proofGood
	t.Request.Recorded = append(t.Request.Recorded, one)
	t.Pacing.Offsets = append(t.Pacing.Offsets, due)
	return nil
}

// finish says of a traffic how it is signed and what is expected.
func (s *sorter) finish(g group) error {
	t, p := s.all[g], s.known[g.provider]
	secret := ""
	if s.config.Secret != nil {
		secret = s.config.Secret(g.hook)
	}
	if secret == "" && s.proven[g] {
		return fmt.Errorf("hook %s: its deliveries were signed, and %w", g.hook, ErrNoSecret)
	}
	t.Request.Method, t.Request.Path = http.MethodPost, t.Request.Recorded[0].Path // for people
	t.Request.Sign = p.sign(secret)
	if g.booked {
		t.Request.ID.Header = p.id
	}
	t.Expect = loadtest.Expect{Status: []int{http.StatusOK, http.StatusAccepted}, MaxBody: 1 << 20}
	spoil := "signature"
	if secret == "" {
		spoil = "unsigned"
	}
	t.Negatives = []loadtest.Negative{
		{Name: Unverified, Mutate: loadtest.Mutation{Kind: spoil}, Expect: loadtest.Expect{Status: []int{http.StatusUnauthorized}, MaxBody: 1 << 20}},
		{Name: Malformed, Mutate: loadtest.Mutation{Kind: "recorded"}, Expect: loadtest.Expect{Status: []int{http.StatusBadRequest}, MaxBody: 1 << 20}},
	}
	return nil
}
