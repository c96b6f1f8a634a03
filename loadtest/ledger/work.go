package ledger

import (
	"cmp"
	"math"
	"slices"
)

// job is a deployment that an id led to, in one word: 15 bits for the place
// (project and ref), one that says that this id made the deployment rather than
// joined it, 48 for the deployment's number.
type job uint64

const (
	numberBits = 48
	madeBit    = job(1) << numberBits
	mostPlaces = 1<<15 - 1
)

func newJob(place int, made bool, deployment int64) job {
	j := job(place)<<(numberBits+1) | job(deployment)&(1<<numberBits-1)
	if made {
		j |= madeBit
	}
	return j
}

func (j job) deployment() int64 { return int64(j & (1<<numberBits - 1)) }
func (j job) made() bool        { return j&madeBit != 0 }
func (j job) place() int        { return int(j >> (numberBits + 1)) }

type place struct{ project, ref string }

// work is which deployments the ids led to. Nearly every id led to one.
type work struct {
	first  []job
	more   map[uint64][]job
	places []place
	known  map[place]int
	low    int64 // the lowest deployment
	high   int64
}

func newWork(size uint64) *work {
	return &work{first: make([]job, size), more: map[uint64][]job{}, known: map[place]int{}, low: math.MaxInt64}
}

// add takes one decision about an id.
func (w *work) add(position uint64, d decision) {
	if d.Deployment <= 0 {
		return
	}
	at := place{d.Project, d.Ref}
	number, known := w.known[at]
	if !known {
		if number = len(w.places); number == mostPlaces {
			number-- // so many refs are no deployer's: they share the last number
		} else {
			w.places = append(w.places, at)
			w.known[at] = number
		}
	}
	w.low, w.high = min(w.low, d.Deployment), max(w.high, d.Deployment)
	j := newJob(number, d.Verdict == "queued" || d.Verdict == "deferred", d.Deployment)
	if w.first[position] == 0 {
		w.first[position] = j
		return
	}
	if same(w.first[position], j) {
		w.first[position] |= j
		return
	}
	more := w.more[position]
	if i := slices.IndexFunc(more, func(other job) bool { return same(other, j) }); i >= 0 {
		more[i] |= j
		return
	}
	w.more[position] = append(more, j)
}

// same reports whether two decisions speak of one deployment.
func same(a, b job) bool { return a|madeBit == b|madeBit }

// of returns the deployments that an id led to.
func (w *work) of(position uint64) []job {
	if w.first[position] == 0 {
		return nil
	}
	return append([]job{w.first[position]}, w.more[position]...)
}

// vanished returns a deployment of an id that is not there, although it is
// younger than what its project still has.
func (w *work) vanished(position uint64, jobs *jobs) (deployment int64, yes bool) {
	if w.first[position] == 0 {
		return 0, false
	}
	gone := func(j job) bool {
		return !jobs.exists(j.deployment()) && j.deployment() > jobs.pruned[w.places[j.place()].project]
	}
	if gone(w.first[position]) {
		return w.first[position].deployment(), true
	}
	for _, j := range w.more[position] {
		if gone(j) {
			return j.deployment(), true
		}
	}
	return 0, false
}

// twice returns two deployments at the same place of which an id made the
// second, although the first had not failed: only after a failure is a
// redelivery meant to run again. One that joins what waits makes no work.
func (w *work) twice(position uint64, jobs *jobs) (first, second int64, yes bool) {
	if len(w.more[position]) == 0 {
		return 0, 0, false
	}
	led := w.of(position)
	slices.SortFunc(led, func(a, b job) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), cmp.Compare(a.deployment(), b.deployment()))
	})
	for i := 1; i < len(led); i++ {
		if led[i].place() != led[i-1].place() || !led[i].made() {
			continue
		}
		first, second := led[i-1].deployment(), led[i].deployment()
		switch jobs.again(first, second) {
		case meant:
		case untold:
			jobs.forgotten++
		case wrong:
			return first, second, true
		}
	}
	return 0, 0, false
}

// candidates returns the deployments whose end decides whether an id was
// processed twice.
func (w *work) candidates() map[int64]*deployment {
	out := map[int64]*deployment{}
	for position := range w.more {
		for _, j := range w.of(position) {
			out[j.deployment()] = nil
		}
	}
	return out
}
