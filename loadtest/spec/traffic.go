package spec

import (
	"net/http"
	"slices"

	"github.com/seadog/seadog/loadtest"
)

func (b *builder) traffic() {
	if len(b.f.Scenarios) == 0 {
		b.fail("scenarios", "list at least one: name, pacing and request", "there is none, so nothing would be sent")
	}
	var names []string
	for i := range b.f.Scenarios {
		f, key := &b.f.Scenarios[i], item("scenarios", i)
		b.required(key, "name", "pacing", "request")
		if b.given(key + ".name") {
			b.name(key+".name", f.Name, "a scenario")
		}
		t := loadtest.Traffic{Name: f.Name, Judged: f.Judged || !b.given(key+".judged")}
		t.Phases = b.sentIn(key+".phases", f.Phases)
		used := map[string]bool{}
		if b.given(key + ".request") {
			t.Request = b.request(key+".request", &f.Request, used)
		}
		t.Expect = b.expect(key+".expect", f.Expect, loadtest.Expect{Status: []int{http.StatusOK}, MaxBody: 1 << 20})
		b.replay(key+".replay", f.Replay, &t, used["id"])
		b.negatives(key+".negative", f.Negative, &t)
		if b.given(key + ".pacing") {
			t.Pacing = b.pacing(key+".pacing", f.Pacing, &t)
		}
		b.s.Traffic = append(b.s.Traffic, t)
		names = append(names, f.Name)
	}
	b.unique("scenarios", names)
}

// sentIn checks the names of phases in which a traffic is sent.
func (b *builder) sentIn(key string, names []string) []string {
	if !b.given(key) {
		return nil
	}
	if len(names) == 0 {
		b.fail(key, "name phases, or leave it out to send in all", "names no phase, so nothing would be sent")
	}
	for i, name := range names {
		j := b.s.PhaseIndex(name)
		switch {
		case j < 0:
			b.fail(item(key, i), suggest(name, b.phaseNames(), "there are "), "there is no phase %s", cut(name))
		case b.s.Phases[j].Scale == 0:
			b.fail(item(key, i), "leave it out, or give the phase a load", "phase %s has no load", name)
		case slices.Index(names, name) < i:
			b.fail(item(key, i), "keep one of the two", "%s is given twice", name)
		}
	}
	return names
}

func (b *builder) phaseNames() []string {
	var names []string
	for _, p := range b.s.Phases {
		names = append(names, p.Name)
	}
	return names
}

// expect reads what a good answer is; what is not given is as in standard.
func (b *builder) expect(key string, f expect, standard loadtest.Expect) loadtest.Expect {
	if !b.given(key) {
		return standard
	}
	e := loadtest.Expect{Status: f.Status, Contains: f.BodyContains, Closed: f.Closed, MaxBody: int64(f.MaxBody)}
	for i, code := range f.Status {
		if code < 200 || code > 599 {
			b.fail(item(key+".status", i), "write a number like 202", "%d is not the status of an answer", code)
		}
	}
	switch {
	case b.given(key+".status") && len(f.Status) == 0:
		b.fail(key+".status", "list the codes of good answers, like [200, 202]", "lists no status")
	case len(f.Status) > 0 || f.Closed:
	case len(standard.Status) == 0:
		b.fail(key, "write status: [401], or closed: true", "says neither what the status is, nor that the connection is closed")
	default:
		e.Status = standard.Status
	}
	switch {
	case !b.given(key + ".max_body"):
		e.MaxBody = standard.MaxBody
	case f.MaxBody < 1 || f.MaxBody > maxBody:
		b.fail(key+".max_body", "write a size from 1B to 64MiB", "%s is out of range", f.MaxBody)
	}
	if int64(len(e.Contains)) > e.MaxBody {
		b.fail(key+".body_contains", "make max_body larger", "is longer than the part of a body that is read")
	}
	return e
}

func (b *builder) replay(key string, f replay, t *loadtest.Traffic, used bool) {
	if !b.given(key) {
		return
	}
	b.required(key, "share")
	if b.given(key+".share") && f.Share == 0 {
		b.fail(key+".share", "write percent, or leave replay out", "a share of 0%% is never sent")
	}
	if t.Request.ID.Header == "" && !used {
		b.fail(key, "name a header under request.id, or put {{id}} into the request", "requests have no id under which they could be sent again")
	}
	t.Replay = loadtest.Replay{Share: float64(f.Share), Expect: b.expect(key+".expect", f.Expect, t.Expect)}
}

func (b *builder) negatives(key string, from []negative, t *loadtest.Traffic) {
	sum := t.Replay.Share
	var names []string
	for i, f := range from {
		k := item(key, i)
		b.required(k, "name", "share", "mutate", "expect")
		if b.given(k + ".name") {
			b.name(k+".name", f.Name, "a negative")
		}
		if f.Name == "plain" || f.Name == "replay" {
			b.fail(k+".name", "choose another name", "%s is what other requests are called", f.Name)
		}
		if b.given(k+".share") && f.Share == 0 {
			b.fail(k+".share", "write percent, or leave the negative out", "a share of 0%% is never sent")
		}
		if sum += float64(f.Share); sum > 1 {
			b.fail(k+".share", "lower them to 100% together", "replay and negatives are more than all requests by now")
		}
		n := loadtest.Negative{Name: f.Name, Share: float64(f.Share)}
		if b.given(k + ".mutate") {
			n.Mutate = b.mutation(k+".mutate", f.Mutate, t)
		}
		n.Expect = b.expect(k+".expect", f.Expect, loadtest.Expect{MaxBody: t.Expect.MaxBody})
		t.Negatives = append(t.Negatives, n)
		names = append(names, f.Name)
	}
	b.unique(key, names)
}
