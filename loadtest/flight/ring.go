package flight

// ring is a stretch of numbers, one for each step of time.
type ring struct {
	values []int32
	first  int64 // the step of the oldest one
	at     int   // where that is
}

func newRing(n int) ring { return ring{values: make([]int32, n)} }

// end is the first step that does not fit.
func (r *ring) end() int64 { return r.first + int64(len(r.values)) }

// add adds n to a step. One that has been shifted out already counts for the
// oldest, so that sums stay right.
func (r *ring) add(step int64, n int32) {
	i := r.at + int(max(0, step-r.first))
	if i >= len(r.values) {
		i -= len(r.values)
	}
	r.values[i] += n
}

// shift takes the oldest step out.
func (r *ring) shift() int {
	n := r.values[r.at]
	r.values[r.at] = 0
	r.first++
	if r.at++; r.at == len(r.values) {
		r.at = 0
	}
	return int(n)
}
