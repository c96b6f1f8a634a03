package flight

import "time"

// Load is what was under way at a number of looks.
type Load struct {
	Looks       uint64
	Sum         float64 // over the looks
	Most, Least int
}

func (l *Load) look(n int) {
	if l.Looks == 0 || n < l.Least {
		l.Least = n
	}
	l.Looks++
	l.Sum += float64(n)
	l.Most = max(l.Most, n)
}

// Add joins two stretches.
func (l *Load) Add(o Load) {
	if l.Looks == 0 || o.Looks > 0 && o.Least < l.Least {
		l.Least = o.Least
	}
	l.Looks += o.Looks
	l.Sum += o.Sum
	l.Most = max(l.Most, o.Most)
}

// Level counts what is under way. It looks once a millisecond, or less often if
// the horizon is longer than 8 s, so that what came and went between two looks
// is not seen. It is not safe for concurrent use.
type Level struct {
	step    time.Duration
	changes ring // at each look, against the one before
	now     int  // at the last look that was settled
	since   Load // the last Settle
}

// looks is how many are remembered; what does not fit is settled early.
const looks = 1 << 13

// NewLevel returns a Level for requests that take up to horizon.
func NewLevel(horizon time.Duration) *Level {
	step := (horizon + 2*time.Second) / looks
	return &Level{step: max(step, time.Millisecond), changes: newRing(looks + 1000)}
}

// Take adds a request that was sent and has ended.
func (l *Level) Take(sent, done time.Duration) {
	from, to := l.look(sent), l.look(done)
	if from >= to {
		return
	}
	if late := to - l.changes.end(); late >= 0 {
		l.advance(l.changes.first + late + 1)
	}
	l.changes.add(from, 1)
	l.changes.add(to, -1)
}

// look returns the first look at or after t.
func (l *Level) look(t time.Duration) int64 { return int64((t + l.step - 1) / l.step) }

// Settle returns what was under way at the looks since the last call and before
// until. All that was under way before until must have been taken.
func (l *Level) Settle(until time.Duration) Load {
	l.advance(l.look(until))
	load := l.since
	l.since = Load{}
	return load
}

// advance settles the looks before end.
func (l *Level) advance(end int64) {
	for l.changes.first < end {
		l.now += l.changes.shift()
		l.since.look(l.now)
	}
}
