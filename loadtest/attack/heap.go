package attack

import (
	"slices"
	"time"
)

const (
	// heapWindows is into how many parts a run is divided to see whether the
	// generator itself grows.
	heapWindows = 20
	// heapWarm is cut off: memory that is filled once is no leak.
	heapWarm = 60 * time.Second
)

// heap keeps readings of the live heap, at most 2,400 of them whatever the
// length of the run: when they are full every second one goes.
type heap struct {
	points []heapPoint
	every  int // of so many readings one is kept
	n      int
}

type heapPoint struct {
	at   time.Duration
	live float64
}

const heapPoints = 2400

func (h *heap) add(at time.Duration, live uint64) {
	h.every = max(1, h.every)
	if h.n++; (h.n-1)%h.every != 0 {
		return
	}
	h.points = append(h.points, heapPoint{at, float64(live)})
	if len(h.points) < heapPoints {
		return
	}
	kept := h.points[:0]
	for i := 0; i < len(h.points); i += 2 {
		kept = append(kept, h.points[i])
	}
	h.points, h.every = kept, h.every*2
}

// slope returns how fast the least live heap of the windows grew, in bytes an
// hour (Theil-Sen), and by how much from the first to the last. ok is false if
// the run was too short to say.
func (h *heap) slope() (hour, growth float64, ok bool) {
	if len(h.points) == 0 {
		return 0, 0, false
	}
	end := h.points[len(h.points)-1].at
	from := max(heapWarm, end/4)
	if end-from < heapWarm {
		return 0, 0, false
	}
	var least [heapWindows]heapPoint
	for _, p := range h.points {
		if p.at < from {
			continue
		}
		w := min(int(int64(p.at-from)*heapWindows/int64(end-from)), heapWindows-1)
		if least[w].live == 0 || p.live < least[w].live {
			least[w] = p
		}
	}
	var slopes []float64
	for i, a := range least {
		for _, b := range least[i+1:] {
			if a.live > 0 && b.live > 0 && b.at > a.at {
				slopes = append(slopes, (b.live-a.live)/(b.at-a.at).Hours())
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0, false
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2], least[heapWindows-1].live - least[0].live, true
}
