package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// offender is a request that makes the process which serves it sick.
type offender struct {
	kind string
	id   string
	sent time.Time

	answer answer

	pid     int // of the worker that took it; 0 if none did
	started time.Time
}

// stuckFor is how many seconds a stuck request would take if nobody did anything.
const stuckFor = 120

// inject sends faults, apart from each other if that is not 0. It returns them
// at once; done is closed when all are answered or have timed out.
func inject(ctx context.Context, s *server, kinds []string, apart time.Duration) (offenders []*offender, done chan struct{}) {
	done = make(chan struct{})
	var wg sync.WaitGroup
	c := &client{addr: s.addr}
	for i, kind := range kinds {
		if i > 0 && apart > 0 {
			pause(ctx, apart)
		}
		o := &offender{kind: kind, id: fmt.Sprintf("%s-%d", kind, i), sent: time.Now()}
		offenders = append(offenders, o)
		path := fmt.Sprintf("/%s?s=%d&id=%s", kind, stuckFor, o.id)
		wg.Go(func() { o.answer = c.get(ctx, path, patience) })
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	return offenders, done
}

// look reads what the worker noted when it began.
func (o *offender) look(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, o.id))
	if err != nil {
		return // it never began
	}
	pid, at, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	seconds, err := strconv.ParseFloat(at, 64)
	if !ok || err != nil {
		return
	}
	if o.pid, err = strconv.Atoi(pid); err != nil {
		return
	}
	o.started = time.UnixMicro(int64(seconds * 1e6))
}

// late returns by how much the answer came after the deadline, which is counted
// from the moment at which the worker began. Both clocks are this machine's.
func (o *offender) late(harakiri time.Duration) time.Duration {
	begin := o.started
	if o.pid == 0 {
		begin = o.sent
	}
	return o.answer.End.Round(0).Sub(begin.Round(0)) - harakiri
}

// outcome is the answer in a word, with a remark if no worker ever began.
func (o *offender) outcome() string {
	if o.pid == 0 {
		return o.answer.Outcome + "(never started)"
	}
	return o.answer.Outcome
}

// request returns the request id and the incident id of a 504, empty if there
// were none in it.
func (o *offender) request() (request, incident string) {
	var body struct {
		Request  string `json:"request"`
		Incident string `json:"incident"`
	}
	_ = json.Unmarshal(o.answer.Body, &body) // what is missing, is missed by a bar
	return body.Request, body.Incident
}
