package deadlock

import (
	"log/slog"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// mostRecords is how many incidents may wait to be stored.
const mostRecords = 4

// recorder stores incidents, one at a time, whatever the disk does.
type recorder struct {
	store func(watchdog.Incident, []byte) error
	log   *slog.Logger
	late  time.Duration // after that it is said that storing hangs
	queue chan entry
	over  chan struct{}
}

type entry struct {
	incident watchdog.Incident
	dump     []byte
}

func newRecorder(store func(watchdog.Incident, []byte) error, log *slog.Logger, late time.Duration) *recorder {
	return &recorder{store: store, log: log, late: late, queue: make(chan entry, mostRecords), over: make(chan struct{})}
}

// put never blocks. What finds no room is in the log only.
func (r *recorder) put(i watchdog.Incident, dump []byte) {
	select {
	case r.queue <- entry{i, dump}:
	default:
		r.log.Error("incident is not stored: others have not been stored yet", watchdog.KeyIncident, i.ID, watchdog.KeyVerdict, i.Verdict)
	}
}

// close ends run as soon as everything is stored, or storing hangs.
func (r *recorder) close() { close(r.over) }

// run ends with close.
func (r *recorder) run() {
	for {
		select {
		case e := <-r.queue:
			if !r.write(e) {
				return
			}
		case <-r.over:
			for {
				select {
				case e := <-r.queue:
					if !r.write(e) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

// write stores one incident. It returns false if that hangs and everything is
// to end: then the goroutine that hangs stays, nothing can stop it.
func (r *recorder) write(e entry) bool {
	stored := make(chan error, 1)
	go func() { stored <- r.store(e.incident, e.dump) }()
	within := time.NewTimer(r.late)
	defer within.Stop()
	late := false
	over := (<-chan struct{})(nil)
	for {
		select {
		case err := <-stored:
			if err != nil {
				r.log.Error("incident is not stored", watchdog.KeyIncident, e.incident.ID, watchdog.KeyVerdict, e.incident.Verdict, watchdog.KeyError, err)
			} else if late {
				r.log.Info("incident is stored at last", watchdog.KeyIncident, e.incident.ID)
			}
			return true
		case <-within.C:
			late, over = true, r.over
			r.log.Error("storing an incident hangs", watchdog.KeyIncident, e.incident.ID, watchdog.KeyVerdict, e.incident.Verdict)
		case <-over:
			return false
		}
	}
}
