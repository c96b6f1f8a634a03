package deadlock

import "time"

const (
	dumpsApart = 10 * time.Second
	sameApart  = 10 * time.Minute // stacks of requests at one place
	mostPlaces = 256
)

// limits is how often stacks may be taken: each time stops the process.
type limits struct {
	apart  time.Duration // between two times that stacks are taken
	last   time.Time
	lastID string
	places map[string]told
}

// told is the incident that told of a place.
type told struct {
	at time.Time
	id string
}

// mayDump reports whether stacks may be taken now. If not, it returns the
// incident that has the last ones.
func (l *limits) mayDump(now time.Time) (id string, may bool) {
	if l.lastID != "" && now.Sub(l.last) < l.apart {
		return l.lastID, false
	}
	return "", true
}

func (l *limits) dumped(now time.Time, id string) { l.last, l.lastID = now, id }

// seen returns the incident that told of the place not long ago. If there is
// none, this one does.
func (l *limits) seen(now time.Time, place, id string) string {
	if t, ok := l.places[place]; ok && now.Sub(t.at) < sameApart {
		return t.id
	}
	for p, t := range l.places {
		if now.Sub(t.at) >= sameApart || len(l.places) >= mostPlaces {
			delete(l.places, p)
		}
	}
	if l.places == nil {
		l.places = map[string]told{}
	}
	l.places[place] = told{at: now, id: id}
	return ""
}
