// Command seadog deploys Docker Compose projects when their repository is
// pushed to, and never lets a request or a deployment hang.
//
// There is one file per subcommand. This is the only place where the areas of
// the tree (deployer, watchdog, loadtest) meet.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	e := &env{
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Getenv:  os.Getenv,
		Environ: os.Environ,
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends a client at once
	code := run(ctx, e)
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code. It is what tests call.
func run(ctx context.Context, e *env) int {
	root := newRootCommand(e)
	root.SetArgs(e.Args)
	root.SetIn(e.Stdin)
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var quiet *exitError
	if !errors.As(err, &quiet) || quiet.Err != nil {
		fmt.Fprintln(e.Stderr, "seadog:", describe(err))
	}
	return exitCode(err)
}
