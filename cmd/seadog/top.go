package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

const (
	topInterval    = time.Second
	topIntervalMin = 250 * time.Millisecond
	topIntervalMax = 10 * time.Second
)

const topExitCodes = `

Exit codes:
  0  done
  1  what is published is no scoreboard, or that of another version
  2  wrong usage
  3  no such directory
  5  this user may not look at the service
  6  the service does not run on this machine, or in this container`

func newTopCommand(e *env) *cobra.Command {
	d := &data{env: e}
	var interval time.Duration
	cmd := d.command(&cobra.Command{
		Use:   "top",
		Short: "Watch the workers and what they are busy with, live",
		Long: `Shows the scoreboard that the master and its workers share: the workers, the
requests and deployments under way, oldest first, and what the watchdog did.
It asks no server and reads shared memory, so it works when nothing answers.

Where stdout is no terminal it prints one frame. --json prints everything once;
counters in it only grow, so that a script can form rates from two answers:

  pid, uptime_ms, pools[]: name, places, accepting, backlog, backlog_max,
    requests, soft_kills, recovered, kills, lost, answered, moved, gates, shed,
    hang_ups, late_writes, ends{reason}, counters{name},
    routes[]: route, requests, total_ms
    workers[]: worker, index (-1: a spare), incarnation, pid, state, accepting,
      age_ms, heartbeat_age_ms, requests, connections, abandoned, goroutines,
      runnable, latency_us, procs, dumping_ms, deadlock,
      busy[]: slot, generation, phase, request, route, client, stream, age_ms,
        silent_ms, soft_left_ms, hard_left_ms, abandoned_ms, group`,
		Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if interval < topIntervalMin || interval > topIntervalMax {
				return deployer.Errorf(deployer.CodeInvalid, "--interval must be between %s and %s", topIntervalMin, topIntervalMax)
			}
			return d.top(cmd.Context(), interval)
		},
	}, topExitCodes)
	cmd.Flags().DurationVar(&interval, "interval", topInterval, "time between two looks")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

func (d *data) top(ctx context.Context, interval time.Duration) error {
	path, err := d.path(placeFile)
	if err != nil {
		return err
	}
	source := &topSource{path: path}
	first, err := source.read()
	if err != nil {
		return d.unlocated(err)
	}
	if d.json {
		return d.printJSON(newTopReport(first))
	}
	t := terminalOf(d.env, d.env.Stdout)
	out, ok := d.env.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return printTop(ctx, t, source, first, interval)
	}
	model := newTopModel(source.read, first, topOptions{Interval: interval, Colour: t.colour})
	_, err = tea.NewProgram(model, tea.WithContext(ctx), tea.WithAltScreen(), tea.WithInput(d.env.Stdin), tea.WithOutput(out), tea.WithoutSignalHandler()).Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// printTop prints one frame, with the rates of one interval.
func printTop(ctx context.Context, t *terminal, source *topSource, first topSample, interval time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(interval):
	}
	second, err := source.read()
	if err != nil {
		return err
	}
	return t.printf("%s", topFrame{Before: first, Now: second, Options: topOptions{Interval: interval}}.render())
}

// unlocated says what it means that there is no scoreboard.
func (d *data) unlocated(err error) error {
	switch {
	case errors.Is(err, locate.ErrNone), errors.Is(err, locate.ErrGone):
		return deployer.Errorf(deployer.CodeUnavailable, "the service does not run: %v", err).
			WithHint("is it on this machine, and in this container? --data names another directory")
	case errors.Is(err, fs.ErrPermission):
		return d.explain(err)
	}
	return err
}

// topSample is the scoreboard at one moment.
type topSample struct {
	PID    int
	Uptime time.Duration
	Layout scoreboard.Layout
	Board  scoreboard.Snapshot
}

// topSource reads the scoreboard that is published at path. One goroutine at a
// time may use it.
type topSource struct {
	path  string
	place *locate.Place
	board *scoreboard.Board
}

// read looks at the board, and for another one when its master has ended.
func (s *topSource) read() (topSample, error) {
	if s.board == nil || !s.place.Alive() {
		if err := s.open(); err != nil {
			return topSample{}, err
		}
	}
	return topSample{PID: s.place.PID, Uptime: s.place.Uptime(), Layout: s.board.Layout(), Board: s.board.Snapshot()}, nil
}

func (s *topSource) open() error {
	place, err := locate.Find(s.path)
	if err != nil {
		return err
	}
	board, err := place.Open()
	if err != nil {
		return err
	}
	if s.board != nil {
		if err := s.board.Close(); err != nil {
			return fmt.Errorf("leave the board of the master before: %w", err)
		}
	}
	s.place, s.board = place, board
	return nil
}
