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

// run ends after close, when all values are handled.
func (q *queue[T]) run() {
	for v := range q.values {
		q.handle(v)
	}
}

func (q *queue[T]) close() { close(q.values) }

// record is a death on its way to disk, and what the owner loop does then.
type record struct {
	death watchdog.Death
	then  func()
}

func (m *master) record(r record) {
	if err := m.Record(r.death); err != nil {
		m.Log.Error("death was not recorded", watchdog.KeyVerdict, r.death.Verdict, watchdog.KeyError, err)
	}
	if r.then != nil {
		m.events <- r.then
	}
}
