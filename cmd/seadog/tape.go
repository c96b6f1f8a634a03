package main

import (
	"context"
	"log/slog"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/recording"
	"github.com/seadog/seadog/deployer/transcript"
)

// tape is where a worker's deliveries are recorded; nil: nowhere.
type tape struct{ *recording.Recorder }

// newTape returns the tape that the configuration asks for. A directory that
// cannot be written to is no reason to refuse deliveries.
func newTape(j job) (*tape, error) {
	c := j.cfg.Record
	if c.Dir == "" {
		return nil, nil
	}
	recorder, err := recording.New(recording.Config{
		Dir: c.Dir, Deliveries: c.Deliveries, Bytes: c.Bytes,
		Writers:  j.cfg.HTTPWorkers + 1, // the spare may be promoted while the one before it still drains
		Redactor: transcript.NewRedactor(j.cfg.Secrets()...),
		Count:    func(r recording.Result) { j.recorder.Recorded(string(r)) },
		Log:      j.log,
	})
	if err != nil {
		j.log.Error("deliveries are not recorded", slog.Any(deployer.KeyError, err))
		return nil, nil
	}
	return &tape{recorder}, nil
}

func (t *tape) recorder() httpd.Recorder {
	if t == nil {
		return nil
	}
	return t.Recorder
}

func (t *tape) run(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.Run(ctx)
}
