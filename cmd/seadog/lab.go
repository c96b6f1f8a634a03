package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/console"
	"github.com/seadog/seadog/watchdog/lab"
)

func newLabCommand(e *env) *cobra.Command {
	var cfg lab.Config
	var rss string
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run a sick server under the watchdog",
		Long: `Runs a small HTTP server under the watchdog that gets sick on request:

  /sleep?s=N  /spin  /cspin      stuck: asleep; busy; busy beyond Go's reach
  /deadlock  /lockorder          two locks in either order: plain; tracked
  /crash  /freeze  /leak?mb=N    SIGSEGV; SIGSTOP; memory
  /health  /echo  /stream        nothing wrong with them

See what it did with "seadog top" and "seadog incidents --data DIR". With ?id=X
and the environment's LAB_FAULTDIR, a fault first writes its pid and the time to
the file X there. With LAB_DB, POST /webhook stores signed bodies (secret
"lab-secret") in that SQLite file.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if cfg.MaxRSS, err = parseSize(rss); err != nil {
				return &exitError{Code: exitUsage, Err: fmt.Errorf("--max-rss: %w", err)}
			}
			return runLab(context.WithoutCancel(cmd.Context()), e, cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8090", "`address` to listen on")
	f.StringVar(&cfg.Admin, "admin", "", "`address` of GET /metrics (default: none)")
	f.IntVar(&cfg.Workers, "workers", 2, "worker processes")
	f.DurationVar(&cfg.Harakiri, "harakiri", 2*time.Second, "deadline of a request: its client gets 504")
	f.DurationVar(&cfg.Mercy, "mercy", 10*time.Second, "how much longer it may go on before its worker is killed")
	f.Uint64Var(&cfg.MaxRequests, "max-requests", 0, "recycle a worker after so many requests; 0: never")
	f.StringVar(&rss, "max-rss", "0", "recycle a worker that is larger than this `size`, as in 128MiB; 0: never")
	f.StringVar(&cfg.Data, "data", "", "`directory` for incidents and the journal (default: a temporary one)")
	f.BoolVar(&cfg.Bare, "bare", false, "the same server without anything that watches it")
	if err := f.MarkHidden("bare"); err != nil {
		panic(err) // it is defined above
	}
	return cmd
}

// runLab is the watchdog or a worker of the lab: workers have the same command
// line, and always a data directory.
func runLab(ctx context.Context, e *env, cfg lab.Config) (err error) {
	broken, err := sabotageOf(e)
	if err != nil {
		return err
	}
	broken.lab(&cfg)
	out := console.New(e.Stdout)
	defer out.Close()
	cfg.Log, cfg.LogLost, cfg.CountLost = broken.log(out, e.Stdout), out.Dropped, out.Count
	cfg.Faults, cfg.Database = e.Getenv("LAB_FAULTDIR"), e.Getenv("LAB_DB")
	cfg.Args = e.Args
	if cfg.Data == "" {
		if cfg.Data, err = os.MkdirTemp("", "seadog-lab-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(cfg.Data)) }()
		cfg.Args = append(slices.Clone(e.Args), "--data", cfg.Data)
	}
	return lab.Run(ctx, cfg)
}

// parseSize reads a number of bytes, as in "128MiB", "128M" or "134217728".
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift, known := map[string]int{
		"": 0, "B": 0, "K": 10, "KiB": 10, "M": 20, "MiB": 20, "G": 30, "GiB": 30,
	}[text[len(digits):]]
	if err != nil || !known || n < 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is no size: want a number and KiB, MiB or GiB", text)
	}
	return n << shift, nil
}
