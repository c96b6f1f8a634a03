package health

import "time"

// track remembers, per container, since when its present run has been seen and
// how many restarts it had before. The zero value is ready.
type track struct {
	runs  map[string]run
	begun bool
}

type run struct {
	started  time.Time // as the engine says; identifies the run
	since    time.Time // as this machine saw it
	restarts int       // when the gate began, 0 for a container that came later
}

// add returns a snapshot with what earlier snapshots add to it, and forgets containers that are gone.
func (t *track) add(seen []Observation, now time.Time) []Seen {
	runs := make(map[string]run, len(seen))
	out := make([]Seen, 0, len(seen))
	for _, o := range seen {
		r, known := t.runs[o.ID]
		switch {
		case !known && t.begun:
			r = run{started: o.Started, since: now}
		case !known:
			r = run{started: o.Started, since: now, restarts: o.Restarts}
		case !r.started.Equal(o.Started):
			r.started, r.since = o.Started, now
		}
		runs[o.ID] = r
		out = append(out, Seen{Observation: o, Since: r.since, Restarts: o.Restarts - r.restarts})
	}
	t.runs, t.begun = runs, true
	return out
}
