package lab

import (
	"errors"
	"log/slog"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Config is what the lab is to be.
type Config struct {
	Listen   string        // host:port, required
	Admin    string        // host:port of GET /metrics; "": there is none
	Workers  int           // 2 if 0
	Harakiri time.Duration // deadline of a request; the policy's default if 0
	Mercy    time.Duration // how long an answered request may go on; likewise
	// MaxRequests and MaxRSS (bytes) are when a worker is recycled; 0: never.
	MaxRequests uint64
	MaxRSS      int64

	Data string // directory for journal and incidents, required
	// Faults is the directory where faults note that they began, "": they do not.
	Faults string
	// Database is the SQLite file of POST /webhook, "": it answers 404.
	Database string

	// Bare serves the same application in as many processes on the same socket,
	// but nothing watches over its requests. It is what the watchdog's costs
	// are measured against.
	Bare bool

	Omit   watchdog.Omission // measures of the watchdog that are left out
	Abrupt bool              // a worker that is told to finish and go goes at once: what drains are good for

	// Args are the arguments with which this executable calls Run with this
	// same configuration; workers are started so.
	Args []string
	Log  *slog.Logger // required
	// As in [service.Config].
	LogLost   func() uint64                `json:"-"`
	CountLost func(add func(lines uint64)) `json:"-"`
}

const defaultWorkers = 2

// Validate reports everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	for _, f := range []struct {
		wrong bool
		what  string
	}{
		{c.Listen == "", "no address to listen on"},
		{c.Data == "", "no data directory"},
		{c.Log == nil, "no logger"},
		{len(c.Args) == 0, "no arguments for workers"},
		{c.Workers < 0, "a negative number of workers"},
		{c.Harakiri < 0 || c.Mercy < 0, "a negative duration"},
		{c.MaxRSS < 0, "a negative size"},
	} {
		if f.wrong {
			errs = append(errs, errors.New(f.what))
		}
	}
	return errors.Join(errs...)
}
