package process

import (
	"context"
	"maps"
	"runtime/metrics"
	"slices"
	"time"
)

const (
	looks      = 5 // at the threads, in one round
	looksApart = 12 * time.Millisecond
	rounds     = 4
)

// Unstoppable returns the threads of this process that compute without a pause,
// so that its world might not be stoppable: whoever stops it for a loop that Go
// cannot preempt freezes the whole process. A process that has much to do looks
// like that for a moment, so it gets several rounds, 0.2 s in all; and if the
// runtime has stopped the world in the meantime, for a garbage collection, it
// can. The error says why nothing is known.
func Unstoppable(ctx context.Context) (tids []int, err error) {
	w := newWorld()
	for range rounds {
		if tids, err = w.unstoppable(ctx); len(tids) == 0 {
			return nil, err
		}
	}
	return tids, nil
}

// world counts how often the runtime has stopped it.
type world struct{ samples []metrics.Sample }

func newWorld() *world {
	return &world{[]metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/pauses/total/other:seconds"}}}
}

// unstoppable is one round. A thread that wants to compute and gets no CPU
// counts as well: on a machine that is that busy, a loop looks the same.
func (w *world) unstoppable(ctx context.Context) ([]int, error) {
	pauses := w.stops()
	used, err := Computing(ctx, looks, looksApart)
	if err != nil || w.stops() != pauses {
		return nil, err
	}
	return slices.Sorted(maps.Keys(used)), nil
}

// stops counts how often the runtime has stopped the world.
func (w *world) stops() uint64 {
	metrics.Read(w.samples)
	var n uint64
	for _, s := range w.samples {
		if s.Value.Kind() == metrics.KindFloat64Histogram {
			for _, count := range s.Value.Float64Histogram().Counts {
				n += count
			}
		}
	}
	return n
}
