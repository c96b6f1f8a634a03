// Command measure measures the bars of the watchdog from the outside: it starts
// "seadog lab" as an ordinary process, makes it sick in many ways while health
// checks go on in an open loop, and judges what the clients saw.
//
//	go run ./watchdog/lab/measure            # everything, about half an hour
//	go run ./watchdog/lab/measure -quick     # everything, shortened
//	go run ./watchdog/lab/measure -run 'spin/[48]$|killall'
//
// It is a black-box client: it imports nothing of seadog and knows only its
// command line, its HTTP answers, /proc, and the two contracts of the lab: the
// header X-Pid and the directory LAB_FAULTDIR. All load goes to 127.0.0.1.
// Every process that it starts it also ends, by its pid, on an interrupt too.
//
// It exits with 0 if every bar was met, with 1 if one was missed, and with 2 if
// it could not measure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

const (
	exitMissed  = 1
	exitUnknown = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings is the command line.
type settings struct {
	binary string
	run    *regexp.Regexp
	json   string
	list   bool
	bench  bench
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var pattern string
	f := flag.NewFlagSet("measure", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.binary, "binary", "", "seadog `executable`; built from ./cmd/seadog if empty")
	f.StringVar(&pattern, "run", "", "measure only cells whose name matches `regexp`")
	f.StringVar(&s.json, "json", "", "write all results to `file`")
	f.BoolVar(&s.list, "list", false, "list the cells and exit")
	f.BoolVar(&s.bench.quick, "quick", false, "shorter outages, and kept connections only beside eight offenders")
	f.BoolVar(&s.bench.clock, "clock", false, "also step this machine's clock by an hour, both ways (root only; everybody here sees it)")
	f.DurationVar(&s.bench.harakiri, "harakiri", 2*time.Second, "deadline of a request in the lab")
	f.DurationVar(&s.bench.mercy, "mercy", 2*time.Second, "how long the lab lets an answered request go on")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	var err error
	if s.run, err = regexp.Compile(pattern); err != nil {
		return s, fmt.Errorf("-run: %w", err)
	}
	return s, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "measure:", err)
		return exitUnknown
	}
	var chosen []cell
	for _, c := range cells(s.bench.quick) {
		if s.run.MatchString(c.name) {
			chosen = append(chosen, c)
		}
	}
	if s.list {
		for _, c := range chosen {
			fmt.Fprintln(stdout, c.name)
		}
		return 0
	}
	reports, err := measure(ctx, s, chosen, stdout, stderr)
	if err == nil && s.json != "" {
		err = writeJSON(s.json, reports)
	}
	if err != nil {
		fmt.Fprintln(stderr, "measure:", err)
		return exitUnknown
	}
	return summarize(stdout, reports)
}

// measure runs the cells one after the other. What the servers of bad cells
// wrote is kept, the rest of the temporary directory is not.
func measure(ctx context.Context, s settings, chosen []cell, stdout, stderr io.Writer) (reports []report, err error) {
	b := s.bench
	if b.dir, err = os.MkdirTemp("", "seadog-measure-"); err != nil {
		return nil, err
	}
	kept := false
	defer func() {
		if !kept {
			err = errors.Join(err, os.RemoveAll(b.dir))
		}
	}()
	if b.binary, err = binary(ctx, s.binary, b.dir); err != nil {
		return nil, err
	}
	if b.nice, err = raisePriority(); err != nil {
		fmt.Fprintln(stderr, "measure: the client has the same priority as the server, so its own delays count:", err)
	}
	t := table{w: stdout}
	for _, c := range chosen {
		r := c.measure(ctx, &b)
		if ctx.Err() != nil {
			return reports, context.Cause(ctx)
		}
		reports = append(reports, r)
		t.row(r)
		if !r.met() {
			kept = true
			fmt.Fprintf(stdout, "    logs: %s\n", b.cellDir(c.name))
		} else if err := os.RemoveAll(b.cellDir(c.name)); err != nil {
			return reports, err
		}
	}
	return reports, nil
}
