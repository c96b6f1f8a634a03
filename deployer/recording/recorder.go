package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

const (
	queueLength = 1024
	queueBytes  = 64 << 20 // of bodies; two of the largest
	unprovenCut = 64 << 10 // bytes of a body that proves no secret
	complainFor = time.Minute
)

// Result is what became of a delivery that was to be kept.
type Result string

const (
	Written  Result = "written"
	Overflow Result = "overflow"  // the queue was full
	Failed   Result = "failed"    // the disk did not take it
	TooLarge Result = "too_large" // for the whole recording
)

// Results lists every result.
func Results() []Result { return []Result{Written, Overflow, Failed, TooLarge} }

// Config says what is kept and where. Dir, Deliveries, Bytes, Redactor and Log
// are required.
type Config struct {
	Dir        string
	Deliveries int   // in all files together
	Bytes      int64 // likewise
	// Writers is how many processes write into Dir at the same time; 1 if 0.
	Writers  int
	Redactor *transcript.Redactor
	// Count is told what became of every delivery, from any goroutine. It must not block. nil: nobody.
	Count func(Result)
	Log   *slog.Logger
}

// Recorder is the recording of one process. It may be used concurrently.
type Recorder struct {
	config Config
	queue  chan *entry
	room   atomic.Int64 // bytes that the queue still has

	good, bad *shelf
	first     time.Time // of the first delivery
	complain  time.Time // when the disk was last complained of
}

// entry is a delivery in the queue: nothing of it belongs to its request.
type entry struct {
	deployer.RawDelivery
	headers map[string]string
	bytes   int // of the body as it came in
}

// New returns a recorder that writes nothing until Run, and makes its directory.
func New(c Config) (*Recorder, error) {
	switch {
	case c.Dir == "" || c.Redactor == nil || c.Log == nil:
		return nil, errors.New("recording: Dir, Redactor or Log is missing")
	case c.Deliveries < 1 || c.Bytes < 1:
		return nil, errors.New("recording: no room for a delivery")
	}
	if c.Count == nil {
		c.Count = func(Result) {}
	}
	c.Writers = max(1, c.Writers)
	if err := makeDirectory(c.Dir); err != nil {
		return nil, err
	}
	all := room{c.Deliveries, c.Bytes}
	unproven := room{max(1, all.lines/10), max(1, all.bytes/10)}
	r := &Recorder{
		config: c, queue: make(chan *entry, queueLength),
		good: newShelf(c.Dir, "deliveries", room{all.lines - unproven.lines, all.bytes - unproven.bytes}, c.Writers),
		bad:  newShelf(c.Dir, "refused", unproven, c.Writers),
	}
	r.room.Store(queueBytes)
	return r, nil
}

func makeDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the recording: %w", err)
	}
	return nil
}

// Record takes a delivery into the queue, or counts it if there is no room. It
// does not wait, and keeps nothing of d that is the request's.
func (r *Recorder) Record(d deployer.RawDelivery) {
	e := &entry{RawDelivery: d, bytes: len(d.Body)}
	if d.Proof == deployer.ProofBad && len(d.Body) > unprovenCut {
		d.Body = d.Body[:unprovenCut]
	}
	if r.room.Add(-int64(len(d.Body))) < 0 || len(r.queue) == cap(r.queue) {
		r.room.Add(int64(len(d.Body)))
		r.config.Count(Overflow)
		return
	}
	e.Body, e.headers, e.Header = bytes.Clone(d.Body), keep(d.Header), nil
	e.Hook, e.Method, e.Path = strings.Clone(d.Hook), strings.Clone(d.Method), strings.Clone(d.Path)
	select {
	case r.queue <- e:
	default:
		r.room.Add(int64(len(e.Body)))
		r.config.Count(Overflow)
	}
}

// Run writes until ctx ends, and then what is queued.
func (r *Recorder) Run(ctx context.Context) error {
	defer r.good.close()
	defer r.bad.close()
	for {
		select {
		case e := <-r.queue:
			r.write(e)
		case <-ctx.Done():
			for {
				select {
				case e := <-r.queue:
					r.write(e)
				default:
					return nil
				}
			}
		}
	}
}

func (r *Recorder) write(e *entry) {
	defer r.room.Add(int64(len(e.Body)))
	if r.first.IsZero() {
		r.first = e.ReceivedAt
	}
	line, err := r.encode(e)
	to := r.good
	if e.Proof == deployer.ProofBad {
		to = r.bad
	}
	if err == nil {
		err = to.append(line)
	}
	switch {
	case err == nil:
		r.config.Count(Written)
	case errors.Is(err, errTooLarge):
		r.config.Count(TooLarge)
	default:
		r.config.Count(Failed)
		if now := time.Now(); now.Sub(r.complain) > complainFor {
			r.complain = now
			r.config.Log.Warn("a delivery could not be recorded; more of the same are not logged for a minute",
				slog.String(deployer.KeyHook, e.Hook), slog.Any(deployer.KeyError, err))
		}
	}
}
