package master

import "github.com/seadog/seadog/watchdog"

// queue passes values to a goroutine that may have to wait for a disk or a
// socket, so that the owner loop never does.
type queue[T any] struct {
	values chan T
	handle func(T)
}

const queueLength = 256

func newQueue[T any](handle func(T)) *queue[T] {
	return &queue[T]{values: make(chan T, queueLength), handle: handle}
}

// put returns false if the queue is full: v is lost.
func (q *queue[T]) put(v T) bool {
	select {
	case q.values <- v:
		return true
	default:
		return false
	}
}

// empty reports whether nothing waits to be handled.
func (q *queue[T]) empty() bool { return len(q.values) == 0 }

// run ends after close, when all values are handled.
func (q *queue[T]) run() {
	for v := range q.values {
		q.handle(v)
	}
}

func (q *queue[T]) close() { close(q.values) }

// record writes a death down and tells the owner loop, if it wants to know.
func (m *master) record(d watchdog.Death, then func()) {
	if err := m.Record(d); err != nil {
		m.Log.Error("death was not recorded", watchdog.KeyWorker, d.ID().String(), watchdog.KeyVerdict, d.Verdict, watchdog.KeyError, err)
	}
	if then != nil {
		m.events <- then
	}
}
