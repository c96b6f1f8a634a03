package flight

import "time"

// Level counts what is under way. It looks once a millisecond, or less often if
// the horizon is longer than 8 s, so that what came and went between two looks
// is not seen. It is not safe for concurrent use.
type Level struct {
	step    time.Duration
	changes ring // at each look, against the one before
	now     int  // at the last look that was settled
	most    int  // since the last Settle, of looks that had to be left
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
		l.most = max(l.most, l.advance(l.changes.first+late+1))
	}
	l.changes.add(from, 1)
	l.changes.add(to, -1)
}

// look returns the first look at or after t.
func (l *Level) look(t time.Duration) int64 { return int64((t + l.step - 1) / l.step) }

// Settle returns the most that was under way since the last call and up to
// until. All that was under way before until must have been taken.
func (l *Level) Settle(until time.Duration) int {
	most := max(l.most, l.advance(int64(until/l.step)+1))
	l.most = 0
	return most
}

// advance settles the looks before end and returns the most of them.
func (l *Level) advance(end int64) int {
	most := l.now
	if end > l.changes.first {
		most = 0
	}
	for l.changes.first < end {
		l.now += l.changes.shift()
		most = max(most, l.now)
	}
	return most
}
