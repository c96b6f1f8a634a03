package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Round decides a batch of deliveries at once, each as if it were alone and
// they had come one after the other. The store loads what [Round.Projects] and
// [Round.Keys] ask for, calls Decide, and writes Updates, Inserts, Deliveries
// and Counts, in this order: what was waiting must be out of the way before its
// successor is inserted. A Round is used once, by one goroutine.
type Round struct {
	Deliveries []deployer.Delivery // one for each intake
	Lines      []Line              // their decisions as rows
	Updates    []*deployer.Deployment
	Inserts    []*deployer.Deployment
	Counts     map[Count]int64

	intakes []deployer.Intake
	lanes   map[string]*deployer.Lane
	again   map[Key]bool // keys of the batch, and whether more than one delivery has them
	earlier map[Key]map[target]*deployer.Deployment
	known   map[int64]*deployer.Deployment // every deployment in memory, once
	updated map[*deployer.Deployment]bool
}

// Key identifies a delivery to its provider.
type Key struct{ Hook, ExternalID string }

// Line is one decision as it is stored; the first of a delivery has number 0.
type Line struct {
	Delivery *deployer.Delivery
	Number   int
	Decision *deployer.Decision
	Repeated bool // an earlier row says the same; it need not be found again
}

// target is what a decision was about.
type target struct{ project, ref string }

// Sighting is a decision of an earlier delivery with the same key. Deployment is 0 if it led to none.
type Sighting struct {
	Key          Key
	Project, Ref string
	Deployment   int64
	Status       deployer.Status
}

// IDs hands out identifiers. They ascend within a project.
type IDs interface {
	Delivery() int64
	Deployment() (int64, error)
}

// NewRound takes intakes as they came; their text is cleaned here.
func NewRound(intakes []deployer.Intake) *Round {
	r := &Round{
		Counts: map[Count]int64{}, intakes: make([]deployer.Intake, len(intakes)), again: make(map[Key]bool, len(intakes)),
		earlier: map[Key]map[target]*deployer.Deployment{},
		known:   map[int64]*deployer.Deployment{}, updated: map[*deployer.Deployment]bool{},
	}
	for i, in := range intakes {
		r.intakes[i] = cleanIntake(in)
		_, known := r.again[r.key(i)]
		r.again[r.key(i)] = known
	}
	return r
}

func cleanIntake(in deployer.Intake) deployer.Intake {
	in.Hook = Clean(in.Hook, short)
	in.Provider = deployer.Provider(Clean(string(in.Provider), short))
	in.ExternalID = Clean(in.ExternalID, short)
	in.Event = Clean(in.Event, short)
	in.Wanted = slices.Clone(in.Wanted)
	for i, o := range in.Wanted {
		in.Wanted[i] = cleanOrder(o)
	}
	in.Ignored = slices.Clone(in.Ignored)
	for i, d := range in.Ignored {
		in.Ignored[i] = deployer.Decision{
			Project: Clean(d.Project, short), Ref: Clean(d.Ref, message), Commit: Clean(d.Commit, short),
			Verdict: deployer.VerdictIgnored, Reason: Clean(d.Reason, long),
		}
	}
	return in
}

// Projects returns the projects whose lanes are needed, sorted.
func (r *Round) Projects() []string {
	set := map[string]bool{}
	for _, in := range r.intakes {
		for _, o := range in.Wanted {
			set[o.Project] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Keys returns the keys whose sightings are needed.
func (r *Round) Keys() []Key {
	keys := make([]Key, 0, len(r.again))
	for i := range r.intakes {
		if k := r.key(i); k.ExternalID != "" && !(r.again[k] && slices.Contains(keys, k)) {
			keys = append(keys, k)
		}
	}
	return keys
}

func (r *Round) key(i int) Key { return Key{r.intakes[i].Hook, r.intakes[i].ExternalID} }

// Load gives the round what is stored. Sightings come oldest first.
func (r *Round) Load(lanes map[string]*deployer.Lane, sightings []Sighting) {
	r.lanes = lanes
	for _, l := range lanes {
		for _, d := range []*deployer.Deployment{l.Running, l.Pending} {
			if d != nil {
				r.known[d.ID] = d
			}
		}
	}
	for _, s := range sightings {
		if r.known[s.Deployment] == nil && s.Deployment != 0 {
			r.known[s.Deployment] = &deployer.Deployment{ID: s.Deployment, Status: s.Status}
		}
		r.remember(s.Key, target{s.Project, s.Ref}, r.known[s.Deployment])
	}
}

func (r *Round) remember(k Key, t target, d *deployer.Deployment) {
	if k.ExternalID == "" {
		return
	}
	if r.earlier[k] == nil {
		r.earlier[k] = make(map[target]*deployer.Deployment, 1)
	}
	r.earlier[k][t] = d
}

// Decide decides every intake in order. now stamps what has no time yet.
func (r *Round) Decide(now time.Time, ids IDs) error {
	r.Deliveries = make([]deployer.Delivery, len(r.intakes))
	r.Lines = make([]Line, 0, len(r.intakes))
	for i, in := range r.intakes {
		received := Micro(in.ReceivedAt)
		if received.IsZero() {
			received = now
		}
		r.Deliveries[i] = deployer.Delivery{
			ID: ids.Delivery(), Hook: in.Hook, Provider: in.Provider, ExternalID: in.ExternalID, Event: in.Event,
			ReceivedAt: received, Bytes: in.Bytes, Decisions: make([]deployer.Decision, len(in.Wanted)+len(in.Ignored)),
		}
		if err := r.decide(i, now, ids); err != nil {
			return err
		}
	}
	return nil
}

func (r *Round) decide(i int, now time.Time, ids IDs) error {
	in, delivery, key := &r.intakes[i], &r.Deliveries[i], r.key(i)
	before, seen := r.earlier[key]
	first := len(r.Lines)
	for n, o := range in.Wanted {
		var repeated bool
		var reason string
		if seen {
			reason, repeated = deployer.Repeat(before[target{o.Project, o.Ref}])
		}
		decision := &delivery.Decisions[n]
		if repeated {
			*decision = deployer.Decision{Verdict: deployer.VerdictDuplicate, Reason: reason}
			if d := before[target{o.Project, o.Ref}]; d != nil {
				decision.Deployment = d.ID
			}
		} else {
			placed, err := r.place(o, now, ids)
			if err != nil {
				return err
			}
			*decision = deployer.Decision{Verdict: placed.Verdict, Reason: cmp.Or(placed.Reason, reason), Deployment: placed.Into.ID}
		}
		decision.Project, decision.Ref, decision.Commit = o.Project, o.Ref, o.Commit
		r.line(delivery, n, repeated)
	}
	for n, d := range in.Ignored {
		delivery.Decisions[len(in.Wanted)+n] = d
		r.line(delivery, len(in.Wanted)+n, false)
	}
	if !r.again[key] {
		return nil
	}
	for _, l := range r.Lines[first:] { // only now: one delivery does not repeat itself
		r.remember(key, target{l.Decision.Project, l.Decision.Ref}, r.known[l.Decision.Deployment])
	}
	return nil
}

func (r *Round) line(delivery *deployer.Delivery, n int, repeated bool) {
	decision := &delivery.Decisions[n]
	r.Lines = append(r.Lines, Line{Delivery: delivery, Number: n, Decision: decision, Repeated: repeated})
	r.Counts[Count{countDeliveries, string(delivery.Provider), string(decision.Verdict)}]++
}

func (r *Round) place(o deployer.Order, now time.Time, ids IDs) (deployer.Placement, error) {
	lane := r.lanes[o.Project]
	p := lane.Place(o, now)
	if p.New {
		id, err := ids.Deployment()
		if err != nil {
			return p, fmt.Errorf("next deployment id: %w", err)
		}
		p.Into.ID = id
		r.known[id] = p.Into
		r.Inserts = append(r.Inserts, p.Into)
		r.updated[p.Into] = true // it is written as it is at the end anyway
	}
	if s := p.Superseded; s != nil {
		supersede(s, p.Into)
		r.Counts[Count{Kind: countDeployments, A: string(deployer.Superseded)}]++
		r.changed(s)
	}
	if p.Verdict == deployer.VerdictCoalesced {
		r.changed(p.Into)
	}
	return p, nil
}

func (r *Round) changed(d *deployer.Deployment) {
	if !r.updated[d] {
		r.updated[d] = true
		r.Updates = append(r.Updates, d)
	}
}

// SortedCounts returns Counts in the order in which every writer adds them, so
// that two of them cannot wait for each other.
func (r *Round) SortedCounts() []Count {
	return slices.SortedFunc(maps.Keys(r.Counts), func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
}
